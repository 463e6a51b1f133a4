#include "media/video_check.h"

#include <cosmos/media_input.hpp>
#include <cstdlib>

#include "core/command.h"
#include "media/ffmpeg_log.h"
#include "media/media_tools.h"

namespace cosmos {
namespace {

constexpr auto kLongestDecode = std::chrono::hours(2);

}  // namespace

VideoCheck CheckVideo(const std::filesystem::path& video, const CancelToken& cancel) {
  // One thread, because ffmpeg's decoders with several now and then forget to tell of an error that they concealed.
  // The progress report says `frame=` with what came out so far, for the last time at the end; it is written seldom, so
  // that hours of it fit into what RunCommand keeps.
  const CommandResult result = RunCommand(
      sdk::FfmpegCommand({{"-xerror", "-threads", "1"},
                          sdk::MediaInput(video),
                          {"-map", "0:V:0", "-fps_mode", "passthrough", "-stats_period", "10", "-progress", "pipe:1"},
                          {"-f", "null", "-"}}),
      kLongestDecode, cancel);
  VideoCheck check;
  if (result.timed_out) {
    check.problem = cancel.cancelled() ? "the check was cancelled" : "decoding it took too long";
    return check;
  }
  const std::size_t at = result.output.rfind("frame=");
  if (at != std::string::npos) check.frames = std::atoll(result.output.c_str() + at + 6);
  if (result.exit_status == 0 && check.frames > 0) return check;
  if (const std::string problem = ProblemOfMediaTool(sdk::kFfmpeg, cancel); !problem.empty()) {
    check.problem = "it cannot be checked: " + problem + " (install ffmpeg, or reinstall it)";
    return check;
  }
  check.problem = sdk::RefusedFormat(result.output);
  if (check.problem.empty()) check.problem = FirstComplaint(result.output);
  if (check.problem.empty()) check.problem = "it has no frames";
  return check;
}

}  // namespace cosmos
