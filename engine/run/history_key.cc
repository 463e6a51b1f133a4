#include "run/history_key.h"

#include "core/error.h"
#include "job/video_expectation.h"

namespace cosmos {
namespace {

using nlohmann::json;

json VideoOf(const json& expect, const CancelToken& cancel) {
  const VideoExpectation expectation = VideoExpectation::FromJson(expect);
  ExpectedVideo expected;
  try {
    expected = Expect(expectation, cancel);
  } catch (const Error&) {
    // Who needs the video says what is wrong with it.
  }
  return {{"frames", expected.frames}, {"width", expected.size[0]}, {"height", expected.size[1]}};
}

}  // namespace

std::string HistoryKey(json key, const std::string& uses, int gpus, const std::string& gpu, const std::string& target,
                       const CancelToken& cancel) {
  if (key.contains("video")) key["video"] = VideoOf(key["video"], cancel);
  key["uses"] = uses;
  key["gpus"] = gpus;
  key[gpu.empty() ? "target" : "gpu"] = gpu.empty() ? target : gpu;
  return key.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace cosmos
