#include "media/manifest.h"

#include <nlohmann/json.hpp>
#include <system_error>

#include "core/error.h"
#include "core/files.h"
#include "core/json_values.h"
#include "core/sha256.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr int kVersion = 1;
// Part of every digest: to be raised when the same frames are to become other videos, so that all are made again.
constexpr int kEncoding = 3;

// [[FIRST, LAST], …]
Json RangesToJson(const FrameSet& frames) {
  Json ranges = Json::array();
  for (const std::int64_t frame : frames.frames()) {
    if (!ranges.empty() && ranges.back()[1] == frame - 1) {
      ranges.back()[1] = frame;
    } else {
      ranges.push_back({frame, frame});
    }
  }
  return ranges;
}

FrameSet RangesFromJson(const Json& json) {
  std::vector<std::int64_t> frames;
  for (const Json& range : json) {
    const FrameSet part = FrameSet::Range(range.at(0).get<std::int64_t>(), range.at(1).get<std::int64_t>());
    frames.insert(frames.end(), part.frames().begin(), part.frames().end());
  }
  return FrameSet(std::move(frames));
}

Json DepthToJson(const std::optional<DepthRange>& depth) {
  return depth ? Json{{"near", depth->near}, {"far", depth->far}} : Json();
}

Json VideoToJson(const MadeVideo& video) {
  return {{"file", video.file},
          {"source", video.source},
          {"inputs_sha256", video.inputs},
          {"first_frame", video.numbers.first()},
          {"last_frame", video.numbers.last()},
          {"frames", video.numbers.size()},
          {"frame_numbers", video.numbers.ToString()},
          {"held_frames", RangesToJson(video.held)},
          {"width", video.width},
          {"height", video.height},
          {"source_width", video.source_width},
          {"source_height", video.source_height},
          {"fps", ToString(video.rate)},
          {"size", video.size},
          {"sha256", video.sha256},
          {"depth_range", DepthToJson(video.depth)},
          {"depth_inverted", video.depth_inverted},
          {"layer", TextOrNull(video.layer)},
          {"colorspace", TextOrNull(video.colorspace)}};
}

std::string TextFromJson(const Json& json) { return json.is_null() ? "" : json.get<std::string>(); }

MadeVideo VideoFromJson(const Json& json) {
  MadeVideo video;
  video.file = json.at("file");
  video.source = json.at("source");
  video.inputs = json.at("inputs_sha256");
  video.numbers = FrameSet::Parse(json.at("frame_numbers").get<std::string>());
  video.held = RangesFromJson(json.at("held_frames"));
  video.width = json.at("width");
  video.height = json.at("height");
  video.source_width = json.at("source_width");
  video.source_height = json.at("source_height");
  video.rate = ParseFrameRate(json.at("fps").get<std::string>());
  video.size = json.at("size");
  video.sha256 = json.at("sha256");
  if (const Json& depth = json.at("depth_range"); !depth.is_null()) {
    video.depth = DepthRange{depth.at("near"), depth.at("far")};
  }
  video.depth_inverted = json.at("depth_inverted");
  video.layer = TextFromJson(json.at("layer"));
  video.colorspace = TextFromJson(json.at("colorspace"));
  return video;
}

std::string TextOf(const Manifest& manifest) {
  return ToJson(manifest).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Json ToJson(const Manifest& manifest) {
  Json controls = Json::object();
  for (const auto& [control, video] : manifest.controls) controls[control] = VideoToJson(video);
  return {{"version", kVersion},           {"name", manifest.name}, {"source", manifest.source},
          {"complete", manifest.complete}, {"controls", controls},  {"warnings", manifest.warnings}};
}

std::optional<Manifest> ReadManifest(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  const Json json = TryParseJson(ReadFile(file), kOwnJson);
  try {
    if (json.at("version") != kVersion) return std::nullopt;
    Manifest manifest{json.at("name"), json.at("source"), json.at("complete"), {}, json.at("warnings")};
    for (const auto& [control, video] : json.at("controls").items()) manifest.controls[control] = VideoFromJson(video);
    return manifest;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void WriteManifest(const Manifest& manifest, const fs::path& file) {
  const std::string text = TextOf(manifest);
  std::error_code error;
  if (fs::exists(file, error) && ReadFile(file) == text) return;
  WriteFileAtomically(file, text, kShared);
}

std::string InputsDigest(const ControlFrames& control, const VideoSettings& settings) {
  Json files = Json::array();
  for (const auto& [number, file] : control.sequence.frames) {
    if (control.numbers.Contains(number)) files.push_back({number, file.path, file.size, file.modified});
  }
  const bool is_depth = control.control == "depth";
  const Json inputs = {{"encoding", kEncoding},
                       {"control", control.control},
                       {"frames", control.numbers.ToString()},
                       {"fps", ToString(settings.rate)},
                       {"crop_odd", settings.crop_odd},
                       {"depth_range", DepthToJson(is_depth ? settings.depth : std::nullopt)},
                       {"invert_depth", is_depth && settings.invert_depth},
                       {"layer", settings.layer},
                       {"colorspace", settings.colorspace},
                       {"colour_config", settings.colour_config},
                       {"files", files}};
  return Sha256(inputs.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace cosmos
