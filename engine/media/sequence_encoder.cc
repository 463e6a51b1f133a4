#include "media/sequence_encoder.h"

#include <fmt/format.h>

#include <cosmos/media_input.hpp>
#include <cstring>
#include <system_error>

#include "core/error.h"
#include "media/depth_range.h"
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

constexpr std::size_t kMaxComment = 1000;

// Lines and areas of plain colours suffer most from compression, gradients of depth less, pictures least.
const char* QualityOf(const std::string& control) {
  if (control == "seg" || control == "edge") return "1";  // 0 is lossless, in a profile that many players lack
  return control == "depth" ? "8" : "12";
}

std::string Filters(const ControlFrames& control, const VideoSettings& settings) {
  // A pixel of a segmentation has one of its colours, never a mixture of its neighbours'.
  const char* kernel = control.control == "seg" ? "neighbor" : "bicubic";
  const char* crop = settings.crop_odd ? "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0:exact=1," : "";
  return fmt::format("{}scale=out_range=tv:out_color_matrix=bt709:flags={}+accurate_rnd+full_chroma_inp+bitexact", crop,
                     kernel);
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
       // Which frames they are, for whoever shows their numbers: `playblast` does.
       {"-metadata", "comment=frames " + control.numbers.ToString().substr(0, kMaxComment)},
       {"-bitexact", "-movflags", "+faststart"},
       {"-f", "mp4", "file:" + part.string()}});
}

// The grey levels of a depth picture.
std::string GreyOf(const DecodedPicture& picture, const VideoSettings& settings) {
  if (picture.distances && !settings.depth) {
    throw Error(ErrorCode::kIo, "found distances, expected grey levels", "look whether the frames changed meanwhile");
  }
  // A level of 1 is white as it is.
  const DepthRange range = picture.distances ? *settings.depth : DepthRange{0, 1};
  const bool far_is_white = picture.distances ? settings.invert_depth : !settings.invert_depth;
  std::string grey(picture.pixels.size() / sizeof(float), '\0');
  for (std::size_t i = 0; i < grey.size(); ++i) {
    float depth = 0;
    std::memcpy(&depth, &picture.pixels[i * sizeof depth], sizeof depth);
    grey[i] = static_cast<char>(GreyOfDepth(depth, range, far_is_white));
  }
  return grey;
}

// ffmpeg, started with the first picture, and given frame after frame.
class Encoder {
 public:
  // All must outlive the object.
  Encoder(const ControlFrames& control, const VideoSettings& settings, const fs::path& part, const CancelToken& cancel)
      : control_(control), settings_(settings), part_(part), cancel_(cancel) {}

  // Adds `times` frames that show the picture; false when ffmpeg takes no more.
  bool Add(const DecodedPicture& picture, std::int64_t times) {
    const bool depth = control_.control == "depth";
    if (!process_) {
      const sdk::Arguments input = sdk::RawFramesInput(depth ? "gray" : "rgb24", picture.width, picture.height);
      process_.emplace(EncoderWords(input, control_, settings_, part_), MediaProcess::Feed::kPipe, cancel_);
      width_ = picture.width;
      height_ = picture.height;
    }
    if (picture.width != width_ || picture.height != height_) {
      throw Error(ErrorCode::kIo,
                  fmt::format("found {}x{} pixels, expected {}x{}", picture.width, picture.height, width_, height_),
                  "look whether the frames changed meanwhile");
    }
    const std::string grey = depth ? GreyOf(picture, settings_) : "";
    for (std::int64_t i = 0; i < times; ++i) {
      if (!process_->Write(depth ? grey : picture.pixels)) return false;
    }
    return true;
  }

  // Called once, last.
  void Finish() {
    const int status = process_->Finish();
    if (cancel_.cancelled()) throw Error(ErrorCode::kUnavailable, "cancelled");
    if (status == 0) return;
    throw Error(ErrorCode::kIo, fmt::format("ffmpeg could not make '{}' (exit status {}): {}", part_.string(), status,
                                            process_->Complaint()));
  }

 private:
  const ControlFrames& control_;
  const VideoSettings& settings_;
  const fs::path& part_;
  const CancelToken& cancel_;
  std::optional<MediaProcess> process_;
  int width_ = 0;
  int height_ = 0;
};

// Pictures in order, and how many frames show each.
struct Shown {
  std::vector<PictureQuery> pictures;
  std::vector<std::int64_t> times;
};

Shown ShownBy(const ControlFrames& control, const fs::path& folder, const PictureChoice& choice) {
  Shown shown;
  for (const std::string& file : control.Files()) {
    const fs::path path = folder / file;
    if (!shown.pictures.empty() && shown.pictures.back().file == path) {  // it is held
      ++shown.times.back();
    } else {
      shown.pictures.push_back({path, choice, true});
      shown.times.push_back(1);
    }
  }
  return shown;
}

}  // namespace

PictureChoice ChoiceOf(const ControlFrames& control, const VideoSettings& settings) {
  const bool depth = control.control == "depth";
  return {depth ? PictureChoice::Kind::kDepth : PictureChoice::Kind::kColour, settings.layer, settings.colorspace};
}

void EncodeSequence(const ControlFrames& control, const fs::path& folder, const VideoSettings& settings,
                    const fs::path& video, PictureSource* source, const CancelToken& cancel,
                    const FrameListener& listener) {
  const PartFile part(video);
  const Shown shown = ShownBy(control, folder, ChoiceOf(control, settings));
  Encoder encoder(control, settings, part.path(), cancel);
  std::int64_t done = 0;
  source->Read(shown.pictures, [&](std::size_t i, PictureSource::Decoded decoded) {
    if (const auto* problem = std::get_if<PictureProblem>(&decoded)) {
      throw Error(ErrorCode::kIo,
                  fmt::format("cannot read '{}': {}", shown.pictures[i].file.string(), problem->message),
                  problem->hint);
    }
    if (!encoder.Add(std::get<DecodedPicture>(decoded), shown.times[i])) encoder.Finish();  // says why
    done += shown.times[i];
    listener(done);
  });
  encoder.Finish();
  const std::int64_t frames = ProbeVideo(part.path(), cancel).frames;
  if (frames != static_cast<std::int64_t>(control.numbers.size())) {
    throw Error(ErrorCode::kIo,
                fmt::format("ffmpeg made {} frames of the {} of {}", frames, control.numbers.size(), control.control),
                "look whether its frames changed meanwhile");
  }
  part.Become();
}

}  // namespace cosmos
