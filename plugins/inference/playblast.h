#pragma once

#include "inference/model.h"

namespace cosmos::plugins {

// A quick proxy of a shot, mixed by ffmpeg on the CPU: input video and weighted controls, with prompt and seed burnt
// in. The job makes output.mp4 and output.json. It says of itself that it is not a generated video.
class Playblast final : public Model {
 public:
  const char* name() const override { return "playblast"; }
  const char* summary() const override;
  sdk::Json Parameters() const override;
  sdk::JobSpec Build(sdk::Task& task, const sdk::Json& parameters) const override;
  std::unique_ptr<LogReader> Reader(const sdk::Json& parameters, int clips) const override;
};

}  // namespace cosmos::plugins
