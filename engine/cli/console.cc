#include "cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "core/text.h"

namespace cosmos {
namespace {

const char* Code(Colour colour) {
  switch (colour) {
    case Colour::kNone:
      return "";
    case Colour::kGreen:
      return "\033[32m";
    case Colour::kRed:
      return "\033[31m";
    case Colour::kYellow:
      return "\033[33m";
    case Colour::kBlue:
      return "\033[34m";
    case Colour::kGrey:
      return "\033[90m";
    case Colour::kBold:
      return "\033[1m";
  }
  return "";
}

}  // namespace

Console::Console() : terminal_(::isatty(STDOUT_FILENO) != 0) {
  const char* no_colour = std::getenv("NO_COLOR");
  colour_ = terminal_ && (no_colour == nullptr || *no_colour == '\0');
}

int Console::width() const {
  winsize size{};
  if (!terminal_ || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

void Console::Print(std::string_view text) { std::cout << text << std::flush; }

void Console::PrintLine(std::string_view text) { std::cout << text << '\n' << std::flush; }

void Console::PrintJson(const nlohmann::json& value) {
  PrintLine(value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void Console::Warn(const std::string& text) { PrintError("cosmos-engine: " + text); }

void Console::PrintError(const std::string& text) { std::cerr << text << '\n' << std::flush; }

void Console::PrintTable(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
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
  if (!colour_ || colour == Colour::kNone) return std::string(text);
  return Code(colour) + std::string(text) + "\033[0m";
}

std::string Console::PaintStatus(std::string_view status) const {
  if (status == "succeeded") return Paint(Colour::kGreen, status);
  if (status == "failed") return Paint(Colour::kRed, status);
  if (status == "cancelled" || status == "interrupted" || status == "retrying") return Paint(Colour::kYellow, status);
  if (status == "running" || status == "starting") return Paint(Colour::kBlue, status);
  return Paint(Colour::kGrey, status);
}

std::size_t Columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string OneLine(std::string_view text, std::size_t columns) {
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  if (Columns(line) <= columns) return TruncateUtf8(line, columns);
  return TruncateUtf8(line, columns > 0 ? columns - 1 : 0) + (columns > 0 ? "…" : "");
}

}  // namespace cosmos
