#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

enum class Colour { kNone, kGreen, kRed, kYellow, kBlue, kGrey, kBold };

// What the program prints to: stdout for what was asked for, stderr for everything else. Texts may come from anywhere
// (a job's log, a host, a plugin): all that is printed is made harmless for terminals here (core/text.h), and only what
// Paint made has colour, on a stream that is a terminal and without $NO_COLOR. With TERM=dumb there is neither colour
// nor movement, and where the locale is not UTF-8 the engine's own signs are ASCII. A stdout that cannot be written to
// is remembered, and ends nothing. Used by one thread at a time.
class Console {
 public:
  Console();

  void set_json(bool json) { json_ = json; }
  bool json() const { return json_; }
  void set_quiet(bool quiet) { quiet_ = quiet; }
  bool quiet() const { return quiet_; }
  // Whether stdout is a terminal on which lines can be redrawn.
  bool terminal() const { return terminal_; }
  // Columns of the terminal; 0 when there is none.
  int width() const;

  void Print(std::string_view text);
  void PrintLine(std::string_view text);
  // Behind `control`, a sequence that moves the terminal's cursor or erases; in one write.
  void PrintAt(std::string_view control, std::string_view text);
  // From the top of the terminal in place of what was there, as much as there is room for; in one write.
  void PrintScreen(std::string_view text);
  // Byte by byte, whatever they do to a terminal.
  void PrintBytes(std::string_view bytes);
  // One object, for scripts; over several lines with an `indent`, on one without (-1).
  void PrintJson(const nlohmann::json& value, int indent = 2);
  // To stderr, behind the program's name.
  void Warn(const std::string& text);
  // To stderr as it is.
  void PrintError(const std::string& text);
  // Columns are as wide as their widest cell; the last one is cut at the terminal's edge.
  void PrintTable(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

  // errno of the first write to stdout that failed; 0 without one. EPIPE: its reader has gone.
  int output_error() const { return output_error_; }

  // `text` as it goes to stdout: harmless, and with the colours of Paint.
  std::string Cleaned(std::string_view text) const { return Cleaned(text, colour_); }
  // In colour when it is printed to a stream that has colours, and only by this console.
  std::string Paint(Colour colour, std::string_view text) const;
  // A status or failure in its colour.
  std::string PaintStatus(std::string_view status) const;

 private:
  bool json_ = false;
  bool quiet_ = false;
  std::string Cleaned(std::string_view text, bool colour) const;
  std::string Shown(const std::string& text) const;

  bool terminal_;
  bool colour_;        // of stdout
  bool error_colour_;  // of stderr
  bool ascii_;
  std::string mark_;  // stands for an escape of Paint; nobody else can know it
  int output_error_ = 0;
};

// `text` with the signs that the engine draws with (bars, dots, the mark of a cut) in ASCII, each as wide as it was.
// Names and texts of others stay as they are.
std::string InAscii(std::string_view text);

// Columns that `text` takes on a terminal: characters, not bytes.
std::size_t Columns(std::string_view text);
// `text` on one line of at most `columns` characters, harmless for terminals.
std::string OneLine(std::string_view text, std::size_t columns);

}  // namespace cosmos
