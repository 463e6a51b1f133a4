#include "media/sequence_encoder.h"

#include <fmt/format.h>

#include <cosmos/media_input.hpp>
#include <cstdlib>
#include <system_error>

#include "core/error.h"
#include "media/exr_picture.h"
#include "media/frame_links.h"
#include "media/media_process.h"
#include "media/video_probe.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

// A file that is being written, beside the one that it becomes. Removed with the object, unless it did.
class PartFile {
 public:
  explicit PartFile(const fs::path& final)
      : final_(final), part_(final.parent_path() / ("." + final.filename().string() + ".part")) {}
  ~PartFile() {
    std::error_code ignored;
    fs::remove(part_, ignored);
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const fs::path& path() const { return part_; }
  void Become() const {
    std::error_code error;
    fs::rename(part_, final_, error);
    if (error) throw IoError("rename to", final_, error.value());
  }

 private:
  const fs::path final_;
  const fs::path part_;
};

// Lines and areas of plain colours suffer most from compression, gradients of depth less, pictures least.
const char* QualityOf(const std::string& control) {
  if (control == "seg" || control == "edge") return "1";  // 0 is lossless, in a profile that many players lack
  return control == "depth" ? "8" : "12";
}

std::string Filters(const ControlFrames& control, const VideoSettings& settings) {
  std::string filters;
  if (settings.crop_odd) filters += "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0:exact=1,";
  const bool exr_picture = control.Extension() == ".exr" && !control.HoldsDistances();
  // The channel of a grey EXR would be taken for video levels.
  std::string scale = exr_picture ? "scale=in_range=pc:" : "scale=";
  if (control.control == "depth" && !control.HoldsDistances()) {
    filters += settings.invert_depth ? "format=gray,negate," : "format=gray,";
  }
  // A pixel of a segmentation has one of its colours, never a mixture of its neighbours'.
  const char* kernel = control.control == "seg" ? "neighbor" : "bicubic";
  return filters + scale +
         fmt::format("out_range=tv:out_color_matrix=bt709:flags={}+accurate_rnd+full_chroma_inp+bitexact", kernel);
}

// ffmpeg's words for a video of the frames that the input words stand for. The same frames give the same bytes on every
// machine: a fixed number of threads, no versions or times in the file.
std::vector<std::string> EncoderWords(const std::vector<std::string>& input, const ControlFrames& control,
                                      const VideoSettings& settings, const fs::path& part) {
  return sdk::FfmpegCommand(
      {{"-xerror", "-y", "-framerate", ToString(settings.rate)},
       input,
       {"-vf", Filters(control, settings), "-pix_fmt", "yuv420p", "-fps_mode", "passthrough"},
       {"-c:v", "libx264", "-preset", "medium", "-crf", QualityOf(control.control), "-threads:v", "4"},
       {"-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"},
       {"-bitexact", "-movflags", "+faststart", "-progress", "pipe:1", "-stats_period", "0.2"},
       {"-f", "mp4", "file:" + part.string()}});
}

[[noreturn]] void ThrowCancelled() { throw Error(ErrorCode::kUnavailable, "cancelled"); }

void Finish(MediaProcess* process, const fs::path& video, const CancelToken& cancel) {
  const int status = process->Finish();
  if (cancel.cancelled()) ThrowCancelled();
  if (status == 0) return;
  throw Error(ErrorCode::kIo, fmt::format("ffmpeg could not make '{}' (exit status {}): {}", video.string(), status,
                                          process->Complaint()));
}

// Pictures go into ffmpeg as they are.
void EncodePictures(const std::vector<fs::path>& files, const ControlFrames& control, const VideoSettings& settings,
                    const fs::path& part, const CancelToken& cancel, const FrameListener& listener) {
  const FrameLinks links(files);
  std::vector<std::string> input = links.InputWords();
  // The colours of an EXR are linear; ffmpeg's decoder turns them into sRGB, as a viewer shows them.
  if (control.Extension() == ".exr") input.insert(input.begin(), {"-apply_trc", "iec61966_2_1"});
  MediaProcess process(EncoderWords(input, control, settings, part), MediaProcess::Feed::kNothing, cancel);
  std::string line;
  while (process.ReadLine(&line)) {
    if (line.starts_with("frame=")) listener(std::atoll(line.c_str() + 6));
  }
  Finish(&process, part, cancel);
}

DepthPicture ReadDepth(const fs::path& file) {
  try {
    return ReadExrDepth(file);
  } catch (const Error& error) {
    throw Error(ErrorCode::kIo, "cannot read '" + file.string() + "': " + error.message());
  }
}

// Distances are read and made grey here, and ffmpeg gets the pixels.
void EncodeDistances(const std::vector<fs::path>& files, const ControlFrames& control, const VideoSettings& settings,
                     const fs::path& part, const CancelToken& cancel, const FrameListener& listener) {
  std::optional<MediaProcess> process;
  std::int64_t done = 0;
  std::string pixels;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (cancel.cancelled()) ThrowCancelled();
    if (i == 0 || files[i] != files[i - 1]) {  // else it is held
      const DepthPicture picture = ReadDepth(files[i]);
      if (!process) {
        const std::vector<std::string> input = sdk::GreyFramesInput(picture.width, picture.height);
        process.emplace(EncoderWords(input, control, settings, part), MediaProcess::Feed::kPipe, cancel);
      }
      pixels.clear();
      for (const float depth : picture.depth) {
        pixels += static_cast<char>(GreyOfDepth(depth, *settings.depth, settings.invert_depth));
      }
    }
    if (!process->Write(pixels)) break;
    listener(++done);
  }
  Finish(&*process, part, cancel);
}

}  // namespace

void EncodeSequence(const ControlFrames& control, const fs::path& folder, const VideoSettings& settings,
                    const fs::path& video, const CancelToken& cancel, const FrameListener& listener) {
  const PartFile part(video);
  std::vector<fs::path> files;
  for (const std::string& file : control.Files()) files.push_back(folder / file);
  const auto encode = control.HoldsDistances() ? EncodeDistances : EncodePictures;
  encode(files, control, settings, part.path(), cancel, listener);
  const std::int64_t frames = ProbeVideo(part.path(), cancel).frames;
  if (frames != control.range.frames()) {
    throw Error(ErrorCode::kIo,
                fmt::format("ffmpeg made {} frames of the {} of {}", frames, control.range.frames(), control.control),
                "look whether its frames changed meanwhile");
  }
  part.Become();
}

}  // namespace cosmos
