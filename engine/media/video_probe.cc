#include "media/video_probe.h"

#include <cosmos/media_input.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "core/command.h"
#include "core/error.h"
#include "core/json.h"
#include "core/json_values.h"
#include "media/media_tools.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr auto kLongestProbe = std::chrono::hours(1);  // all of the file is decoded to count its frames

// ffprobe writes most numbers as text.
std::int64_t WholeNumber(const Json& object, const char* key) { return std::atoll(TextIn(object, key).c_str()); }

double DurationOf(const Json& object) { return std::atof(TextIn(object, "duration").c_str()); }

// The average rate, unless the file is too short or too odd to have one.
FrameRate RateOf(const Json& stream) {
  for (const char* key : {"avg_frame_rate", "r_frame_rate"}) {
    const std::string text = TextIn(stream, key);
    if (text.empty() || text.rfind("0/", 0) == 0) continue;
    try {
      return ParseFrameRate(text);
    } catch (const Error&) {
      continue;  // such as 90000/1, the clock of a stream without a rate
    }
  }
  return {};
}

bool IsTurned(const Json& stream) {
  for (const Json& data : ListIn(stream, "side_data_list")) {
    if (data.contains("rotation")) return IntIn(data, "rotation", 0) % 180 != 0;
  }
  return false;
}

[[noreturn]] void Refuse(const fs::path& video, const std::string& reason) {
  throw Error(ErrorCode::kInvalidInput, "found no video in '" + video.string() + "'" + reason,
              "expected a file that ffmpeg can play");
}

Json Facts(const fs::path& video, bool count, const CancelToken& cancel) {
  // On errors ffprobe prints an object too; its log would stand between the lines of either.
  const CommandResult result = RunCommand(
      sdk::FfprobeCommand({"-v", "quiet", "-show_error", "-select_streams", "V:0",
                           count ? "-count_frames" : "-nocount_frames", "-of", "json", "-show_entries",
                           "stream=codec_name,width,height,pix_fmt,r_frame_rate,avg_frame_rate,nb_read_frames,duration"
                           ":stream_side_data=rotation:format=duration"},
                          sdk::MediaInput(video)),
      kLongestProbe, cancel);
  if (result.timed_out) {
    throw Error(ErrorCode::kUnavailable,
                "looking at '" + video.string() + "' " + (cancel.cancelled() ? "was cancelled" : "took too long"));
  }
  Json facts = TryParseJson(result.output);
  if (facts.is_object() && !facts.contains("error") && !ListIn(facts, "streams").empty()) return facts;
  if (const std::string problem = ProblemOfMediaTool(sdk::kFfprobe, cancel); !problem.empty()) {
    throw Error(ErrorCode::kUnavailable, "cannot look at '" + video.string() + "': " + problem,
                problem.find("there is no") == 0 ? "install ffmpeg" : "reinstall ffmpeg");
  }
  const CommandResult log = RunCommand(sdk::FfprobeCommand({}, sdk::MediaInput(video)), kLongestProbe, cancel);
  if (const std::string format = sdk::RefusedFormat(log.output); !format.empty()) {
    throw Error(ErrorCode::kInvalidInput, "'" + video.string() + "' is not read as a video: " + format,
                "convert it to MP4 where you trust it");
  }
  if (!facts.is_object()) Refuse(video, "");
  if (facts.contains("error")) Refuse(video, ": " + TextIn(facts["error"], "string", "unknown reason"));
  return facts;
}

}  // namespace

VideoFacts ProbeVideo(const fs::path& video, const CancelToken& cancel, std::int64_t known_frames) {
  std::error_code error;
  if (!fs::exists(video, error)) throw Error(ErrorCode::kNotFound, "there is no file '" + video.string() + "'");
  if (!fs::is_regular_file(video, error)) Refuse(video, ": it is no file");
  const Json facts = Facts(video, known_frames == 0, cancel);
  const Json streams = ListIn(facts, "streams");
  if (streams.empty()) Refuse(video, "");
  const Json& stream = streams[0];
  VideoFacts result;
  result.width = IntIn(stream, "width", 0);
  result.height = IntIn(stream, "height", 0);
  if (IsTurned(stream)) std::swap(result.width, result.height);
  result.rate = RateOf(stream);
  result.frames = known_frames != 0 ? known_frames : WholeNumber(stream, "nb_read_frames");
  result.duration = DurationOf(stream);
  if (result.duration == 0) result.duration = DurationOf(ObjectIn(facts, "format"));
  result.codec = TextIn(stream, "codec_name");
  result.pixel_format = TextIn(stream, "pix_fmt");
  if (result.width == 0 || result.frames == 0) Refuse(video, ": it has no frames");
  return result;
}

}  // namespace cosmos
