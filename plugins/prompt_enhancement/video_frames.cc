#include "prompt_enhancement/video_frames.h"

#include <algorithm>
#include <cosmos/failure.hpp>
#include <cosmos/media_input.hpp>
#include <cosmos/parse_json.hpp>
#include <cosmos/text.hpp>
#include <cstdlib>

#include "common/parameters.h"
#include "prompt_enhancement/run_program.h"

namespace cosmos::plugins {
namespace {

// The reason in the log of ffmpeg or ffprobe.
std::string Reason(const std::string& log) {
  const std::string format = sdk::RefusedFormat(log);
  return format.empty() ? log.substr(0, log.find('\n')) : format;
}

ProgramResult Run(const std::vector<std::string>& argv, const Interrupt& interrupt) {
  ProgramResult result = RunProgram(argv, interrupt);
  if (result.exit_status != 127) return result;
  throw sdk::StageFailure("plugin_error", "found no program '" + argv[0] +
                                              "', which takes the frames out of the video; install ffmpeg, or give no "
                                              "video");
}

[[noreturn]] void Refuse(const std::string& video, const std::string& why) {
  throw sdk::StageFailure("invalid_input", "'" + video + "' gives no frames: " + why +
                                               "; give a video that ffmpeg "
                                               "can decode");
}

// In seconds; 0 where the file does not say.
struct Times {
  double duration = 0;
  double frame = 0;
};

double Seconds(const sdk::Json& facts, const char* key) {
  const std::string text = sdk::TextIn(facts, key);
  return std::max(0.0, std::strtod(text.c_str(), nullptr));
}

Times TimesOf(const std::string& video, const Interrupt& interrupt) {
  const ProgramResult probe = Run(sdk::FfprobeCommand({"-select_streams", "v:0", "-show_entries",
                                                       "format=duration:stream=avg_frame_rate", "-of", "json"},
                                                      sdk::MediaInput(video)),
                                  interrupt);
  if (probe.exit_status != 0) Refuse(video, Reason(probe.err));
  const sdk::Json facts = sdk::TryParseJson(probe.out);
  if (!facts.is_object() || sdk::ListIn(facts, "streams").empty()) Refuse(video, "it has no video");
  Times times;
  times.duration = Seconds(sdk::ObjectIn(facts, "format"), "duration");
  const std::string rate = sdk::TextIn(facts["streams"][0], "avg_frame_rate");  // N/D
  const double frames = std::strtod(rate.c_str(), nullptr);
  const double seconds = std::strtod(rate.substr(rate.find('/') + 1).c_str(), nullptr);
  if (frames > 0) times.frame = seconds / frames;
  return times;
}

}  // namespace

std::vector<std::string> JpegFrames(const std::string& video, int count, const Interrupt& interrupt) {
  const Times times = TimesOf(video, interrupt);
  if (times.duration <= 0) count = 1;
  std::vector<std::string> frames;
  for (int i = 0; i < count; ++i) {
    // The frame that is seen in the middle of each of `count` equal parts. ffmpeg gives the next one that begins, so it
    // is told to look a frame earlier; behind the beginning of the last there would be none.
    const double at = std::max(0.0, times.duration * (i + 0.5) / count - times.frame);
    ProgramResult frame =
        Run(sdk::FfmpegCommand({{"-ss", Format(at)},
                                sdk::MediaInput(video),
                                {"-map", "0:v:0", "-frames:v", "1"},
                                {"-vf", "scale=w='min(768,iw)':h='min(768,ih)':force_original_aspect_ratio=decrease"},
                                {"-c:v", "mjpeg", "-q:v", "3", "-f", "image2pipe", "-"}}),
            interrupt);
    if (frame.exit_status != 0 || frame.out.empty()) {
      Refuse(video, frame.err.empty() ? "nothing at " + Format(at) + " s" : Reason(frame.err));
    }
    frames.push_back(std::move(frame.out));
  }
  return frames;
}

}  // namespace cosmos::plugins
