#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cosmos {

// The part of one member in the log of a job that several share.
struct LogSlice {
  std::string marker;          // a line that holds it begins the member's part; empty: it has none
  std::filesystem::path path;  // empty: the part is known to be there, and is not written
  bool begun = false;          // set by SliceLog: its part is there
};

// Writes to each slice's path, whole or not at all, what stands in `log` before the first marker, and the member's own
// part: from the line with its marker to where another's part begins. Of slices with the same marker, the first line
// with it is the first one's, the next line the second one's, and so on. Memory does not grow with the log. Throws
// Error{kIo}.
void SliceLog(const std::filesystem::path& log, std::vector<LogSlice>* slices);

}  // namespace cosmos
