#pragma once

#include <optional>
#include <string_view>

namespace cosmos::plugins {

// One state of a progress bar of Python's tqdm, such as
//   Generating samples:  34%|███▍      | 12/35 [00:37<01:11,  3.11s/it]
struct ProgressBar {
  std::string_view label;  // "Generating samples"; empty: the bar has none
  long done = 0;
  long total = 0;
};

// What `line` shows, or nothing when it is no such bar, or one of bytes or without a total. `label` points into `line`.
std::optional<ProgressBar> ParseProgressBar(std::string_view line);

// Reads `N/M` at the start of `text`, N <= M and M > 0, and takes it off.
bool TakeCount(std::string_view& text, long& n, long& m);

}  // namespace cosmos::plugins
