// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_LINE_SPLITTER_HPP_
#define COSMOS_LINE_SPLITTER_HPP_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace cosmos::sdk {

// Makes lines of bytes that come in any pieces. Both '\n' and '\r' end a line, as progress bars end theirs with '\r';
// empty lines are left out. A line beyond 64 KiB is given in parts, so memory does not grow with the log.
// Not thread-safe.
class LineSplitter {
 public:
  // `line` is called during Push and Finish, and what it throws comes out of them.
  explicit LineSplitter(std::function<void(std::string_view line)> line) : line_(std::move(line)) {}

  void Push(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
      partial_.append(bytes.substr(0, end));
      const bool ended = end < bytes.size();
      bytes.remove_prefix(ended ? end + 1 : end);
      if (ended || partial_.size() >= kLongest) Finish();
    }
  }

  // Gives what stands after the last line end.
  void Finish() {
    if (partial_.empty()) return;
    const std::string line = std::exchange(partial_, {});
    line_(line);
  }

 private:
  static constexpr std::size_t kLongest = std::size_t{64} * 1024;

  std::function<void(std::string_view)> line_;
  std::string partial_;
};

}  // namespace cosmos::sdk

#endif  // COSMOS_LINE_SPLITTER_HPP_
