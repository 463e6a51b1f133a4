#include "media/ffmpeg_log.h"

#include <algorithm>

#include "core/text.h"

namespace cosmos {
namespace {

bool IsOfProgressReport(std::string_view line) {
  const std::size_t equals = line.find('=');
  return equals != line.npos &&
         line.substr(0, equals).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

}  // namespace

std::string FirstComplaint(std::string_view log) {
  for (const std::string& line : SplitLines(log)) {
    if (line.empty() || IsOfProgressReport(line)) continue;
    const std::size_t end = line.front() == '[' ? line.find("] ") : line.npos;
    return end == line.npos ? line : line.substr(end + 2);
  }
  return "";
}

}  // namespace cosmos
