#include "cli/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <vector>

#include "core/text.h"

namespace cosmos {
namespace {

// The line's first `columns` characters, and all of its colours.
std::string Cut(std::string_view line, std::size_t columns) {
  std::string cut;
  std::size_t used = 0;
  for (std::size_t i = 0; i < line.size();) {
    std::size_t end = i + 1;
    if (line[i] == '\033') {
      while (end < line.size() && (line[end] < '@' || line[end] > '~' || line[end] == '[')) ++end;
      cut += line.substr(i, ++end - i);
    } else {
      while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) ++end;
      if (used++ < columns) cut += line.substr(i, end - i);
    }
    i = end;
  }
  return cut;
}

}  // namespace

ScreenSize SizeOfScreen() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_row, size.ws_col};
}

std::string FitToScreen(std::string_view text, ScreenSize screen) {
  const std::vector<std::string> lines = SplitLines(text);
  const std::size_t rows = screen.rows > 2 ? screen.rows - 1 : 0;  // the cursor needs one
  const bool too_many = rows > 0 && lines.size() > rows;
  const std::size_t shown = too_many ? rows - 1 : lines.size();
  std::string fitted;
  for (std::size_t i = 0; i < shown; ++i) {
    fitted += (screen.columns > 0 ? Cut(lines[i], screen.columns) : lines[i]) + "\n";
  }
  if (too_many) {
    fitted += Cut("and " + Counted(static_cast<std::int64_t>(lines.size() - shown), "line") +
                      " more; `cosmos-engine status` prints all",
                  screen.columns > 0 ? screen.columns : 80) +
              "\n";
  }
  return fitted;
}

}  // namespace cosmos
