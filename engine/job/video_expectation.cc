#include "job/video_expectation.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace cosmos {
namespace {

using nlohmann::json;
using Size = std::array<int, 2>;

std::string Text(const Size& size) { return std::to_string(size[0]) + "x" + std::to_string(size[1]); }

Size SizeOf(const VideoExpectation& expectation, const VideoFacts& like) {
  const auto distance = [&](const Size& size) {
    return std::abs(static_cast<double>(size[0]) / size[1] - static_cast<double>(like.width) / like.height);
  };
  const auto nearest = std::min_element(expectation.sizes.begin(), expectation.sizes.end(),
                                        [&](const Size& a, const Size& b) { return distance(a) < distance(b); });
  return nearest == expectation.sizes.end() ? Size{like.width, like.height} : *nearest;
}

}  // namespace

VideoExpectation VideoExpectation::FromJson(const json& json) {
  VideoExpectation expectation;
  expectation.frames = json.value("frames", std::int64_t{0});
  expectation.as_long_as = json.value("as_long_as", std::vector<std::string>());
  expectation.size_of = json.value("size_of", "");
  expectation.sizes = json.value("sizes", std::vector<Size>());
  return expectation;
}

ExpectedVideo Expect(const VideoExpectation& expectation, const CancelToken& cancel) {
  std::map<std::string, VideoFacts> known;  // length and size are mostly those of one video
  const auto facts = [&](const std::string& video) -> const VideoFacts& {
    const auto found = known.find(video);
    return found != known.end() ? found->second : known[video] = ProbeVideo(video, cancel);
  };
  ExpectedVideo expected;
  expected.frames = expectation.frames;
  for (const std::string& video : expectation.as_long_as) {
    const std::int64_t there = facts(video).frames;
    expected.frames = expected.frames == 0 ? there : std::min(expected.frames, there);
  }
  if (!expectation.size_of.empty()) expected.size = SizeOf(expectation, facts(expectation.size_of));
  return expected;
}

std::string ExpectationProblem(const VideoExpectation& expectation, const VideoFacts& made, const CancelToken& cancel) {
  const ExpectedVideo expected = Expect(expectation, cancel);
  if (expected.frames != 0 && made.frames != expected.frames) {
    return "it has " + std::to_string(made.frames) + " frames, expected " + std::to_string(expected.frames);
  }
  const Size size = {made.width, made.height};
  if (expected.size == Size{} || expected.size == size) return "";
  return "it has " + Text(size) + " pixels, expected " + Text(expected.size);
}

}  // namespace cosmos
