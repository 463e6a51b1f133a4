#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "media/manifest.h"
#include "media/picture_probe.h"
#include "media/sequence_encoder.h"
#include "media/shot.h"

namespace cosmos {

// An option that is given for all controls, for some, or for both. A value.
struct OptionOfControls {
  std::string all = {};
  std::map<std::string, std::string> of = {};  // by control
};

// What is to be prepared, and how.
struct PrepareOrder {
  std::filesystem::path folder;  // with the frames
  std::filesystem::path output;  // for videos and manifest
  std::string name;              // of the shot
  ShotOptions frames;
  VideoSettings video;
  OptionOfControls layer = {};       // `all` is for colours of EXR files; depth has a layer of its own
  OptionOfControls colorspace = {};  // `all` is for all but depth
};

// How far a control's video is.
enum class VideoState { kToMake, kMade, kUnchanged };

// One control of a shot that is being prepared.
struct PreparedControl {
  ControlFrames frames;
  VideoState state = VideoState::kToMake;
  MadeVideo video;  // whole unless it is yet to be made; then without size and digest
};

// Told what is done: `phase` is "looking" or "encoding".
using PrepareListener =
    std::function<void(const std::string& control, const std::string& phase, std::int64_t done, std::int64_t total)>;

// Turns the frame sequences of a shot into control videos with a manifest: Look, and Make unless there are errors. What
// was made of the same frames in the same way before is not made again. Used by one thread.
class ShotPreparation {
 public:
  explicit ShotPreparation(PrepareOrder order) : order_(std::move(order)) {}

  // Finds the frames and all that is wrong with them, and what is there already; writes nothing. Throws Error as
  // ListFiles, AssembleShot, ProbePictures and PictureSource::CheckColourSpace do.
  void Look(const CancelToken& cancel, const PrepareListener& listener);
  // Makes what is yet to be made; when it is left by an exception, what was made before is whole and on record. Throws
  // Error as EncodeSequence does. REQUIRES: Look found no errors.
  void Make(const CancelToken& cancel, const PrepareListener& listener);

  const PrepareOrder& order() const { return order_; }
  const ShotFindings& findings() const { return findings_; }
  const std::vector<PreparedControl>& controls() const { return controls_; }
  std::filesystem::path VideoOf(const PreparedControl& control) const { return order_.output / control.video.file; }

 private:
  std::filesystem::path manifest_file() const { return order_.output / "manifest.json"; }
  VideoSettings SettingsOf(const ControlFrames& frames) const;
  void CheckColourSpaces(const std::vector<ControlFrames>& controls, PictureSource* source) const;
  PreparedControl Plan(const ControlFrames& frames) const;
  void LookAt(PreparedControl* control, PictureSource* source, const PrepareListener& listener);
  void CheckDepth(const std::string& control, bool distances, const std::optional<DepthRange>& found);
  void TellOfOldVideos();
  void Record(bool complete) const;

  const PrepareOrder order_;
  std::optional<Manifest> before_;
  ShotFindings findings_;
  std::vector<PreparedControl> controls_;
  std::map<std::string, PicturesOfControl> pictures_;
};

}  // namespace cosmos
