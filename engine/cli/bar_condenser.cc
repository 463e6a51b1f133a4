#include "cli/bar_condenser.h"

#include <utility>

namespace cosmos {

std::string BarCondenser::Push(std::string_view bytes) {
  std::string lines;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find_first_of("\r\n");
    tail_ += bytes.substr(0, end);
    news_ = news_ || end != 0;
    if (end == bytes.npos) break;
    if (bytes[end] == '\n') {
      lines += Part() + "\n";
      Clear();
    } else {
      if (!tail_.empty()) part_ = std::exchange(tail_, {});
      in_parts_ = true;
    }
    bytes.remove_prefix(end + 1);
  }
  if (tail_.size() > kLongestLine) lines += std::exchange(tail_, {});
  return lines;
}

std::string BarCondenser::Latest() {
  if (!in_parts_ || !std::exchange(news_, false) || Part().empty()) return "";
  return Part() + "\r";
}

std::string BarCondenser::Rest() {
  std::string rest = Part();
  Clear();
  return rest;
}

void BarCondenser::Clear() {
  part_.clear();
  tail_.clear();
  in_parts_ = news_ = false;
}

}  // namespace cosmos
