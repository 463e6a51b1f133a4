#pragma once

#include <cosmos/line_splitter.hpp>
#include <cosmos/task.hpp>
#include <string>
#include <string_view>

#include "common/job_duration.h"
#include "common/log_reader.h"

namespace cosmos::plugins {

// Reads how far a job is from its log and reports it. It understands the lines of video_script.h,
//   frames to do: 240      frames done: 120
// and ffmpeg's own `frame=   17 fps=…`, which counts from the last `frames done`. Lives as long as the job, on one
// thread.
class FrameProgress final : public LogReader {
 public:
  // `phase` names what is being done; `key`: see HistoryKey.
  FrameProgress(std::string phase, sdk::Json key);

  void Begin(const sdk::Context& context) override;
  void Read(sdk::Task& task, std::string_view bytes) override;
  void Succeed(sdk::Task& task) override;

 private:
  void ReadLine(std::string_view line);

  const std::string phase_;
  JobDuration duration_;
  double total_ = 0;
  double before_ = 0;
  double done_ = 0;
  bool news_ = false;
  sdk::LineSplitter lines_;
};

}  // namespace cosmos::plugins
