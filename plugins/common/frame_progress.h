#pragma once

#include <cosmos/line_splitter.hpp>
#include <cosmos/task.hpp>
#include <string>
#include <string_view>

#include "common/duration_progress.h"

namespace cosmos::plugins {

// Reads how far a job is from its log and reports it. It understands the lines of video_script.h,
//   frames to do: 240      frames done: 120
// and ffmpeg's own `frame=   17 fps=…`, which counts from the last `frames done`. Lives as long as the job, on one
// thread.
class FrameProgress final : public DurationProgress {
 public:
  // `phase` names what is being done; `key`: see HistoryKey.
  FrameProgress(std::string phase, sdk::Json key);

  void Read(sdk::Task& task, std::string_view bytes) override;

 private:
  void ReadLine(std::string_view line);

  double total_ = 0;
  double before_ = 0;
  double done_ = 0;
  bool news_ = false;
  sdk::LineSplitter lines_;
};

}  // namespace cosmos::plugins
