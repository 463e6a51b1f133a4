#pragma once

#include <cosmos/job_spec.hpp>
#include <cosmos/task.hpp>
#include <map>
#include <string>

#include "common/model_progress.h"

namespace cosmos::plugins {

// A video to ask a server for that has a model loaded: the asynchronous videos API of OpenAI as vLLM-Omni serves it
// (POST /v1/videos, GET /v1/videos/ID, GET /v1/videos/ID/content, DELETE /v1/videos/ID).
struct VideoServerRequest {
  std::string server;                         // as the target reaches it, without /v1
  std::map<std::string, std::string> fields;  // of the form
  std::string input;                          // the picture or video it starts from, a path on the target; empty: none
};

// A durable job on the target, with curl: asks for the video, waits for it and brings it to output.mp4. When it is
// ended before, it takes the video's job off the server, so that no GPU works for nobody. A bearer token is taken from
// the environment variable VIDEO_SERVER_TOKEN, which a stage sets by `env:`.
sdk::JobSpec VideoServerJob(sdk::Task& task, const VideoServerRequest& request);

ProgressRules VideoServerProgress();

}  // namespace cosmos::plugins
