#pragma once

#include <cosmos/line_splitter.hpp>
#include <cosmos/task.hpp>
#include <string>
#include <string_view>

namespace cosmos::plugins {

// Reads how far a job is from its log and reports it. It understands the lines of video_script.h,
//   frames to do: 240      frames done: 120
// and ffmpeg's own `frame=   17 fps=…`, which counts from the last `frames done`. Lives as long as the job, on one
// thread.
class FrameProgress {
 public:
  // `phase` names what is being done.
  explicit FrameProgress(std::string phase);

  // Reads the next piece of the log and reports to `task` for each line that tells something.
  void Read(sdk::Task& task, std::string_view bytes);

 private:
  void ReadLine(std::string_view line);

  std::string phase_;
  double total_ = 0;
  double before_ = 0;
  double done_ = 0;
  bool news_ = false;
  sdk::LineSplitter lines_;
};

}  // namespace cosmos::plugins
