#include "media/shot_preparation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <system_error>
#include <utility>

#include "core/files.h"
#include "core/sha256.h"
#include "media/shot_folder.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

// Makes a folder where there is none, and removes it when it stayed empty.
class NewFolder {
 public:
  explicit NewFolder(fs::path folder) : folder_(std::move(folder)), made_(!fs::exists(folder_)) {
    MakeFolders(folder_);
  }
  ~NewFolder() {
    std::error_code ignored;
    if (made_) fs::remove(folder_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

 private:
  const fs::path folder_;
  const bool made_;
};

bool IsIntact(const fs::path& file, const MadeVideo& video) {
  std::error_code error;
  return fs::is_regular_file(file, error) && static_cast<std::int64_t>(fs::file_size(file, error)) == video.size &&
         Sha256OfFile(file) == video.sha256;
}

}  // namespace

VideoSettings ShotPreparation::SettingsOf(const ControlFrames& frames) const {
  VideoSettings settings = order_.video;
  const std::string& name = frames.control;
  const bool depth = name == "depth";
  const auto chosen = [&](const OptionOfControls& option, bool for_all) {
    const auto own = option.of.find(name);
    return own != option.of.end() ? own->second : for_all ? option.all : "";
  };
  settings.layer = chosen(order_.layer, !depth && frames.IsExr());
  settings.colorspace = chosen(order_.colorspace, !depth);
  const char* const config = std::getenv("OCIO");
  if (!settings.colorspace.empty() && config != nullptr && fs::is_regular_file(config)) {
    settings.colour_config = Sha256OfFile(config);
  }
  return settings;
}

PreparedControl ShotPreparation::Plan(const ControlFrames& frames) const {
  PreparedControl control{frames, VideoState::kToMake, {}};
  const VideoSettings settings = SettingsOf(frames);
  const std::string inputs = InputsDigest(frames, settings);
  if (before_) {
    const auto made = before_->controls.find(frames.control);
    if (made != before_->controls.end() && made->second.inputs == inputs &&
        IsIntact(order_.output / made->second.file, made->second)) {
      control.state = VideoState::kUnchanged;
      control.video = made->second;
      return control;
    }
  }
  control.video.file = frames.control + ".mp4";
  control.video.source = frames.sequence.Pattern();
  control.video.inputs = inputs;
  control.video.numbers = frames.numbers;
  control.video.held = frames.numbers.Without(frames.sequence.Numbers());
  control.video.rate = order_.video.rate;
  control.video.depth_inverted = frames.control == "depth" && order_.video.invert_depth;
  control.video.layer = settings.layer;
  return control;
}

// The pictures of an unchanged video need no second look: they are as they were when it was made.
void ShotPreparation::LookAt(PreparedControl* control, PictureSource* source, const PrepareListener& listener) {
  const std::string& name = control->frames.control;
  MadeVideo& video = control->video;
  if (control->state == VideoState::kUnchanged) {
    pictures_[name][video.numbers.first()] = {video.source_width, video.source_height, "", ""};
    CheckDepth(name, video.depth.has_value(), video.depth);
    return;
  }
  const auto total = static_cast<std::int64_t>(control->frames.sequence.frames.size());
  const ProbedControl probed =
      ProbePictures(control->frames, order_.folder, ChoiceOf(control->frames, SettingsOf(control->frames)), source,
                    [&](std::int64_t done) { listener(name, "looking", done, std::max(done, total)); });
  if (probed.distances) video.depth = order_.video.depth ? order_.video.depth : probed.depth;
  video.colorspace = probed.colorspace;
  const auto readable = std::find_if(probed.pictures.begin(), probed.pictures.end(),
                                     [](const auto& picture) { return picture.second.problem.empty(); });
  if (readable != probed.pictures.end()) {
    CheckDepth(name, probed.distances, probed.depth);
    video.source_width = readable->second.width;
    video.source_height = readable->second.height;
    video.width = video.source_width / 2 * 2;
    video.height = video.source_height / 2 * 2;
  }
  pictures_[name] = probed.pictures;
}

void ShotPreparation::CheckDepth(const std::string& control, bool distances, const std::optional<DepthRange>& found) {
  if (control != "depth") return;
  if (!distances) {
    if (order_.video.depth) {
      findings_.push_back({false, control, "its pictures are grey levels already; --depth-range does nothing", ""});
    }
  } else if (!found) {
    findings_.push_back({true, control, "found no surface in any frame: all depths are infinite, huge or 0",
                         "look whether the right channel was rendered, or choose one with --layer depth=NAME"});
  } else if (found->near == found->far && !order_.video.depth) {
    findings_.push_back({false, control, fmt::format("all depths are {}; the video will be white", found->near),
                         "give the range of the scene: --depth-range NEAR:FAR"});
  }
}

void ShotPreparation::TellOfOldVideos() {
  if (!before_) return;
  for (const auto& [name, video] : before_->controls) {
    const bool found = std::any_of(controls_.begin(), controls_.end(), [&name = name](const PreparedControl& control) {
      return control.frames.control == name;
    });
    if (found) continue;
    findings_.push_back({false, name,
                         fmt::format("'{}' of an earlier time stays, but there are no frames for it any more",
                                     (order_.output / video.file).string()),
                         "remove it if it is of no use"});
  }
}

// A name that is wrong is wrong for every picture, and said once.
void ShotPreparation::CheckColourSpaces(const std::vector<ControlFrames>& controls, PictureSource* source) const {
  std::set<std::string> spaces;
  for (const ControlFrames& frames : controls) spaces.insert(SettingsOf(frames).colorspace);
  spaces.erase("");
  for (const std::string& space : spaces) source->CheckColourSpace(space);
}

void ShotPreparation::Look(const CancelToken& cancel, const PrepareListener& listener) {
  Shot shot = AssembleShot(ListFiles(order_.folder, order_.output), order_.frames);
  findings_ = std::move(shot.findings);
  before_ = ReadManifest(manifest_file());
  PictureSource source(cancel);
  CheckColourSpaces(shot.controls, &source);
  for (const ControlFrames& frames : shot.controls) {
    controls_.push_back(Plan(frames));
    LookAt(&controls_.back(), &source, listener);
  }
  const ShotFindings found = CheckPictures(pictures_, order_.video.crop_odd);
  findings_.insert(findings_.end(), found.begin(), found.end());
  TellOfOldVideos();
}

void ShotPreparation::Record(bool complete) const {
  Manifest manifest;
  manifest.name = order_.name;
  manifest.source = fs::absolute(order_.folder).lexically_normal();
  manifest.complete = complete;
  for (const PreparedControl& control : controls_) {
    if (control.state != VideoState::kToMake) manifest.controls[control.frames.control] = control.video;
  }
  for (const ShotFinding& finding : findings_) {
    if (!finding.error) manifest.warnings.push_back(ToText(finding));
  }
  WriteManifest(manifest, manifest_file());
}

void ShotPreparation::Make(const CancelToken& cancel, const PrepareListener& listener) {
  const NewFolder output(order_.output);
  PictureSource source(cancel);
  for (PreparedControl& control : controls_) {
    if (control.state != VideoState::kToMake) continue;
    VideoSettings settings = SettingsOf(control.frames);
    settings.depth = control.video.depth;
    const std::string& name = control.frames.control;
    const fs::path video = VideoOf(control);
    EncodeSequence(control.frames, order_.folder, settings, video, &source, cancel, [&](std::int64_t done) {
      listener(name, "encoding", done, static_cast<std::int64_t>(control.frames.numbers.size()));
    });
    control.video.size = static_cast<std::int64_t>(fs::file_size(video));
    control.video.sha256 = Sha256OfFile(video);
    control.state = VideoState::kMade;
    Record(false);
  }
  Record(true);
}

}  // namespace cosmos
