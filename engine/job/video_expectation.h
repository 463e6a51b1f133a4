#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "media/video_probe.h"

namespace cosmos {

// What a video that a job makes must be like; see `expect` of cosmos_job_1 in sdk/include/cosmos/plugin.h. A value.
struct VideoExpectation {
  std::vector<std::string> as_long_as;    // local videos; the shortest counts
  std::int64_t frames = 0;                // with as_long_as the most there may be; 0: any number
  std::string size_of;                    // a local video
  std::vector<std::array<int, 2>> sizes;  // {width, height}; the one nearest in shape to `size_of` counts

  static VideoExpectation FromJson(const nlohmann::json& json);
  bool empty() const { return frames == 0 && as_long_as.empty() && size_of.empty(); }
};

// What follows from the videos that it is compared with. A value.
struct ExpectedVideo {
  std::int64_t frames = 0;       // 0: any number
  std::array<int, 2> size = {};  // {width, height}; zeros: any
};

// Throws what ProbeVideo throws for the videos it looks at.
ExpectedVideo Expect(const VideoExpectation& expectation, const CancelToken& cancel);

// How a video with these facts misses what is expected of it, or "". Throws what Expect throws.
std::string ExpectationProblem(const VideoExpectation& expectation, const VideoFacts& made, const CancelToken& cancel);

}  // namespace cosmos
