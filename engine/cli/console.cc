#include "cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "cli/screen.h"
#include "core/ids.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::size_t kMostColumnsOfByte = 8;  // as <U+202E> has

const char* Code(Colour colour) {
  switch (colour) {
    case Colour::kNone:
      return "";
    case Colour::kGreen:
      return "[32m";
    case Colour::kRed:
      return "[31m";
    case Colour::kYellow:
      return "[33m";
    case Colour::kBlue:
      return "[34m";
    case Colour::kGrey:
      return "[90m";
    case Colour::kBold:
      return "[1m";
  }
  return "";
}

// 0, or the errno of a write that failed.
int WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

// What JSON may hold as it is, and a terminal may obey, as escapes of JSON; such characters stand only in strings.
std::string JsonText(const nlohmann::json& value, int indent) {
  const std::string text = value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
  return Harmless(text) == text ? text : value.dump(indent, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// As setlocale(3) finds it; without any of the variables it is what most terminals show today.
bool IsLocaleUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string locale = Variable(name);
    if (locale.empty()) continue;
    std::transform(locale.begin(), locale.end(), locale.begin(), [](unsigned char c) { return std::tolower(c); });
    return locale.find("utf-8") != locale.npos || locale.find("utf8") != locale.npos;
  }
  return true;
}

}  // namespace

Console::Console() {
  const std::string type = Variable("TERM");
  const bool can = type != "dumb";
  const bool paints = can && Variable("NO_COLOR").empty();
  terminal_ = can && ::isatty(STDOUT_FILENO) != 0;
  colour_ = paints && ::isatty(STDOUT_FILENO) != 0;
  error_colour_ = paints && ::isatty(STDERR_FILENO) != 0;
  ascii_ = !IsLocaleUtf8();
  if (colour_ || error_colour_) mark_ = "\033" + NewRunId();
}

int Console::width() const {
  winsize size{};
  if (!terminal_ || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

void Console::Print(std::string_view text) { PrintBytes(Cleaned(text)); }

void Console::PrintLine(std::string_view text) { PrintBytes(Cleaned(text) + "\n"); }

void Console::PrintAt(std::string_view control, std::string_view text) {
  PrintBytes(std::string(control) + Cleaned(text));
}

// Cut after the marks of Paint have become colours, which take no room.
void Console::PrintScreen(std::string_view text) {
  PrintBytes("\033[H\033[J" + FitToScreen(Cleaned(text), SizeOfScreen()));
}

void Console::PrintBytes(std::string_view bytes) {
  const int error = output_error_ == 0 ? WriteAll(STDOUT_FILENO, bytes) : 0;
  if (error != 0) output_error_ = error;
}

void Console::PrintJson(const nlohmann::json& value, int indent) { PrintBytes(JsonText(value, indent) + "\n"); }

void Console::Warn(const std::string& text) { PrintError("cosmos-engine: " + text); }

void Console::PrintError(const std::string& text) { WriteAll(STDERR_FILENO, Cleaned(text, error_colour_) + "\n"); }

void Console::PrintTable(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& given) {
  std::vector<std::vector<std::string>> rows = given;
  for (auto& row : rows) {
    for (std::string& cell : row) cell = OneLine(cell, cell.size() * kMostColumnsOfByte);
  }
  std::vector<std::size_t> widths(head.size());
  for (std::size_t i = 0; i < head.size(); ++i) {
    widths[i] = Columns(head[i]);
    for (const auto& row : rows) widths[i] = std::max(widths[i], Columns(row[i]));
  }
  const auto print = [&](const std::vector<std::string>& row, Colour colour) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - Columns(row[i]) + 2, ' ');
    }
    if (width() > 0) line = OneLine(line, static_cast<std::size_t>(width()));
    // Colour goes on after the widths are counted.
    for (const std::string status : {"succeeded", "failed", "cancelled", "running", "interrupted", "skipped"}) {
      const std::size_t at = line.find("  " + status + "  ");
      if (at != line.npos) line.replace(at + 2, status.size(), PaintStatus(status));
    }
    PrintLine(Paint(colour, line));
  };
  print(head, Colour::kBold);
  for (const auto& row : rows) print(row, Colour::kNone);
}

std::string Console::Paint(Colour colour, std::string_view text) const {
  if (mark_.empty() || colour == Colour::kNone) return std::string(text);
  return mark_ + Code(colour) + std::string(text) + mark_ + "[0m";
}

std::string Console::Shown(const std::string& text) const { return ascii_ ? InAscii(text) : text; }

std::string Console::Cleaned(std::string_view text, bool colour) const {
  std::string cleaned;
  for (std::size_t at; !mark_.empty() && (at = text.find(mark_)) != text.npos;) {
    cleaned += Shown(Harmless(text.substr(0, at)));
    text.remove_prefix(at + mark_.size());
    const std::size_t end = text.find('m') + 1;  // of a code of Paint
    if (colour) cleaned.append("\033").append(text.substr(0, end));
    text.remove_prefix(end);
  }
  return cleaned + Shown(Harmless(text));
}

std::string Console::PaintStatus(std::string_view status) const {
  if (status == "succeeded") return Paint(Colour::kGreen, status);
  if (status == "failed") return Paint(Colour::kRed, status);
  if (status == "cancelled" || status == "interrupted" || status == "retrying") return Paint(Colour::kYellow, status);
  if (status == "running" || status == "starting") return Paint(Colour::kBlue, status);
  return Paint(Colour::kGrey, status);
}

std::string InAscii(std::string_view text) {
  static constexpr std::pair<std::string_view, std::string_view> kSigns[] = {
      {"…", "~"}, {"█", "#"}, {"▇", "#"}, {"▆", "#"}, {"▅", "="}, {"▄", "="},
      {"▃", "-"}, {"▂", "-"}, {"▁", "_"}, {"░", "."}, {"°", " "}};
  std::string ascii;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    const std::string_view character = text.substr(i, end - i);
    const auto* const sign =
        std::find_if(std::begin(kSigns), std::end(kSigns), [&](const auto& pair) { return pair.first == character; });
    ascii += sign == std::end(kSigns) ? character : sign->second;
    i = end;
  }
  return ascii;
}

std::size_t Columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string OneLine(std::string_view text, std::size_t columns) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  line = Harmless(line);
  if (Columns(line) <= columns) return TruncateUtf8(line, columns);
  return TruncateUtf8(line, columns > 0 ? columns - 1 : 0) + (columns > 0 ? "…" : "");
}

}  // namespace cosmos
