#pragma once

#include <string>
#include <string_view>

namespace cosmos {

// What a terminal would show of a log in the end: of a line in parts with '\r' between them, as progress bars print it,
// only the last part. The log comes in pieces that may split lines.
class BarCondenser {
 public:
  // The lines that are whole now. A line that is not is held back, as long as it is no longer than kLongestLine.
  std::string Push(std::string_view bytes);
  // The latest part of a line in parts that is not whole yet, with '\r' behind it; empty: none since the last call.
  std::string Latest();
  // What is held back, when nothing more comes.
  std::string Rest();

  static constexpr std::size_t kLongestLine = 1 << 16;

 private:
  const std::string& Part() const { return tail_.empty() ? part_ : tail_; }
  void Clear();

  std::string part_;  // of the line so far, the last part that a '\r' has ended
  std::string tail_;  // what stands behind that '\r'
  bool in_parts_ = false;
  bool news_ = false;  // since the last call of Latest
};

}  // namespace cosmos
