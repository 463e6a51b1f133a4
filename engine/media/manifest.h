#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "media/sequence_encoder.h"

namespace cosmos {

// What is on record of one control video. A value.
struct MadeVideo {
  std::string file;    // its name, beside the manifest
  std::string source;  // the pattern of its frames, below the shot's folder
  std::string inputs;  // InputsDigest of what it was made of
  FrameSet numbers;    // of its frames
  FrameSet held;       // of those that were missing and repeat the one before
  int width = 0;       // of the video
  int height = 0;
  int source_width = 0;  // of the frames
  int source_height = 0;
  FrameRate rate{24, 1};
  std::int64_t size = 0;  // bytes
  std::string sha256;
  std::optional<DepthRange> depth;  // of distances
  bool depth_inverted = false;
  std::string layer;       // that was asked for; empty: none
  std::string colorspace;  // that colours were taken to be in; empty: the pictures are no colours
};

// `manifest.json` beside the control videos of a shot. A value.
struct Manifest {
  std::string name;
  std::string source;  // the shot's folder, absolute
  bool complete = false;
  std::map<std::string, MadeVideo> controls;
  std::vector<std::string> warnings;
};

Json ToJson(const Manifest& manifest);
// Nothing when there is no manifest, or none that this version can use: then all is made again.
std::optional<Manifest> ReadManifest(const std::filesystem::path& file);
// Leaves a file with the same content alone. Throws Error{kIo}.
void WriteManifest(const Manifest& manifest, const std::filesystem::path& file);

// A digest of all that a control's video depends on: names, sizes and times of its frames, and how it is made. A range
// of depth that is yet to be found from the frames is none of the settings.
std::string InputsDigest(const ControlFrames& control, const VideoSettings& settings);

}  // namespace cosmos
