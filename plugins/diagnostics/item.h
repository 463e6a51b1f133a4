#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

namespace cosmos::plugins {

// What a collector found. `problem` says why it is not all that was looked for; empty: it is.
struct Found {
  std::string text;
  std::string problem;
};

// Thrown by a collector when there is nothing to look for, and why.
class Skipped : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One thing to look for. `collect` gets the time that it may take; it may throw, and is called on any thread.
struct Collector {
  std::string name;    // such as "gpu"
  std::string target;  // where; empty: what the engine itself knows
  std::string file;    // that it is written to
  std::function<Found(std::chrono::milliseconds limit)> collect;
};

// What became of it. `text` is what stands in the file.
struct Item {
  enum class Status { kCollected, kFailed, kSkipped };

  std::string name;
  std::string target;
  std::string file;  // empty when there is none
  Status status = Status::kSkipped;
  std::string reason;  // of kFailed and kSkipped
  double seconds = 0;
  std::string text;
};

}  // namespace cosmos::plugins
