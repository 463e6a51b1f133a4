#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

enum class Colour { kNone, kGreen, kRed, kYellow, kBlue, kGrey, kBold };

// What the program prints to: stdout for what was asked for, stderr for everything else. Colour only on a terminal and
// without $NO_COLOR. Used by one thread at a time.
class Console {
 public:
  Console();

  void set_json(bool json) { json_ = json; }
  bool json() const { return json_; }
  void set_quiet(bool quiet) { quiet_ = quiet; }
  bool quiet() const { return quiet_; }
  // Whether stdout is a terminal, on which lines can be drawn anew.
  bool terminal() const { return terminal_; }
  // Columns of the terminal; 0 when there is none.
  int width() const;

  void Print(std::string_view text);
  void PrintLine(std::string_view text);
  // One object, for scripts.
  void PrintJson(const nlohmann::json& value);
  // To stderr, behind the program's name.
  void Warn(const std::string& text);
  // To stderr as it is.
  void PrintError(const std::string& text);
  // Columns are as wide as their widest cell; the last one is cut at the terminal's edge.
  void PrintTable(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

  std::string Paint(Colour colour, std::string_view text) const;
  // A status or failure in its colour.
  std::string PaintStatus(std::string_view status) const;

 private:
  bool json_ = false;
  bool quiet_ = false;
  bool terminal_;
  bool colour_;
};

// Columns that `text` takes on a terminal: characters, not bytes.
std::size_t Columns(std::string_view text);
// `text` on one line of at most `columns` characters, without control characters.
std::string OneLine(std::string_view text, std::size_t columns);

}  // namespace cosmos
