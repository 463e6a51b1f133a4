#include "prepare/command_line.h"

#include <filesystem>

#include "common/frames_parameter.h"
#include "common/parameters.h"

namespace cosmos::plugins {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// `--NAME=VALUE`, so that a value may begin with a '-'; nothing without a value.
void Add(const std::string& name, const std::string& value, Words* words) {
  if (!value.empty()) words->push_back("--" + name + "=" + value);
}

// A pattern below the folder as seen from there: on another machine the folder is elsewhere.
std::string SeenFrom(const std::string& folder, const std::string& pattern) {
  if (!fs::path(pattern).is_absolute()) return pattern;
  const std::string inside =
      fs::path(pattern).lexically_normal().lexically_relative(fs::absolute(folder).lexically_normal()).string();
  return inside.empty() || inside.compare(0, 2, "..") == 0 ? pattern : inside;
}

std::string RateOf(const sdk::Json& parameters) {
  const sdk::Json fps = parameters.value("fps", sdk::Json(24));
  return fps.is_number() ? Format(fps.get<double>()) : Text(parameters, "fps");
}

void AddPattern(const std::string& control, const std::string& pattern, const sdk::Json& parameters, Words* words) {
  if (!pattern.empty()) Add("map", control + "=" + SeenFrom(Text(parameters, "folder"), pattern), words);
}

void AddControls(const sdk::Json& parameters, Words* words) {
  const sdk::Json map = parameters.value("map", sdk::Json::object());
  for (const auto& item : map.items()) AddPattern(item.key(), Text(map, item.key().c_str()), parameters, words);
  const sdk::Json controls = parameters.value("controls", sdk::Json::object());
  for (const auto& [control, settings] : controls.items()) {
    AddPattern(control, Text(settings, "pattern"), parameters, words);
    for (const char* option : {"layer", "colorspace"}) {
      const std::string value = Text(settings, option);
      if (!value.empty()) Add(option, control + "=" + value, words);
    }
  }
}

}  // namespace

Words PrepareWords(const sdk::Json& parameters, const std::string& folder, const std::string& output) {
  Words words = {"prepare", folder, "--output=" + output, "--progress"};
  Add("name", Text(parameters, "name"), &words);
  Add("fps", RateOf(parameters), &words);
  Add("frames", FramesOf(parameters), &words);
  Add("layer", Text(parameters, "layer"), &words);
  Add("colorspace", Text(parameters, "colorspace"), &words);
  AddControls(parameters, &words);
  Add("depth-range", Text(parameters, "depth_range"), &words);
  Add("allow-gaps", Text(parameters, "allow_gaps"), &words);
  if (IsOn(parameters, "depth_invert")) words.emplace_back("--depth-invert");
  if (IsOn(parameters, "crop_odd")) words.emplace_back("--crop-odd");
  return words;
}

}  // namespace cosmos::plugins
