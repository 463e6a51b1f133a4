#pragma once

#include <cosmos/failure.hpp>
#include <cosmos/line_splitter.hpp>
#include <cosmos/task.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos::plugins {

// The line behind which a job ends whose input is at fault.
constexpr const char* kInputAtFault = "fix what is reported above; without that, a retry fails in the same way";

// Reads the log of a job that runs `cosmos-engine prepare --progress`: how far it is, and why it failed. Lives as long
// as the job, on one thread.
class PrepareLog {
 public:
  PrepareLog() : lines_([this](std::string_view line) { ReadLine(line); }) {}

  // The next piece of the log, which may split lines; reports the latest progress in it.
  void Read(sdk::Task& task, std::string_view bytes);

  // A failure of the job in the words of its log: what was found is the reason, and invalid_input where the input is at
  // fault. Failures that are not about the job's exit status stay as they are, and so does one of which the log says
  // nothing. REQUIRES: no Read follows.
  sdk::StageFailure Explained(const sdk::StageFailure& failure);

 private:
  struct Progress {
    double done = 0, total = 0;
    std::string phase;
  };

  void ReadLine(std::string_view line);

  sdk::LineSplitter lines_;
  Progress progress_;
  bool news_ = false;
  std::vector<std::string> reasons_;  // the first of them
  int more_reasons_ = 0;
  bool input_at_fault_ = false;
};

}  // namespace cosmos::plugins
