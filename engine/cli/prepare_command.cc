#include <algorithm>
#include <filesystem>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/prepare_report.h"
#include "core/error.h"
#include "core/ids.h"
#include "core/text.h"
#include "media/control_names.h"
#include "media/shot_preparation.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

// A pattern as seen from the folder; programs such as Houdini give it seen from the root.
std::string SeenFrom(const fs::path& folder, const std::string& pattern) {
  if (!fs::path(pattern).is_absolute()) return pattern;
  const std::string inside =
      fs::path(pattern).lexically_normal().lexically_relative(fs::absolute(folder).lexically_normal());
  if (!inside.starts_with("..")) return inside;
  throw Error(ErrorCode::kInvalidInput, "the pattern '" + pattern + "' stands outside of '" + folder.string() + "'",
              "give `prepare` a folder that holds all frames of the shot");
}

std::map<std::string, std::string> ReadPatterns(const Arguments& arguments) {
  std::map<std::string, std::string> patterns;
  for (const std::string& given : arguments.All("map")) {
    const std::size_t equals = given.find('=');
    if (equals == given.npos) {
      throw Error(ErrorCode::kInvalidInput, "found '" + given + "' after --map",
                  "expected CONTROL=PATTERN, such as depth=render/depth.####.exr");
    }
    const std::string control = given.substr(0, equals);
    if (!patterns.emplace(control, SeenFrom(arguments.Positional(0), given.substr(equals + 1))).second) {
      throw Error(ErrorCode::kInvalidInput, "--map was given twice for '" + control + "'");
    }
  }
  return patterns;
}

bool HoldsGaps(const Arguments& arguments) {
  if (!arguments.Has("allow-gaps")) return false;
  if (arguments.Get("allow-gaps") == "hold") return true;
  throw Error(ErrorCode::kInvalidInput, "found '" + arguments.Get("allow-gaps") + "' after --allow-gaps",
              "expected hold: the frame before a gap is repeated");
}

// [CONTROL=]VALUE, any number of times.
OptionOfControls ReadOption(const Arguments& arguments, const std::string& name) {
  OptionOfControls option;
  for (const std::string& given : arguments.All(name)) {
    const std::size_t equals = given.find('=');
    const std::string control = equals == given.npos ? "" : given.substr(0, equals);
    const std::vector<std::string>& controls = ControlNames();
    if (equals != given.npos && std::find(controls.begin(), controls.end(), control) == controls.end()) {
      throw Error(ErrorCode::kInvalidInput, "there is no control '" + control + "', which --" + name + " names",
                  Suggestion(control, controls));
    }
    const std::string value = control.empty() ? given : given.substr(equals + 1);
    if (value.empty()) {
      throw Error(ErrorCode::kInvalidInput, "found '" + given + "' after --" + name,
                  "expected a name, or CONTROL=NAME");
    }
    std::string& place = control.empty() ? option.all : option.of[control];
    if (!place.empty()) {
      throw Error(ErrorCode::kInvalidInput,
                  "--" + name + " was given twice" + (control.empty() ? "" : " for '" + control + "'"));
    }
    place = value;
  }
  return option;
}

OptionOfControls ReadColorspace(const Arguments& arguments) {
  OptionOfControls space = ReadOption(arguments, "colorspace");
  if (!space.of.contains("depth")) return space;
  throw Error(ErrorCode::kInvalidInput, "--colorspace was given for depth, whose values are no colours",
              "give it for other controls");
}

PrepareOrder ReadOrder(const Arguments& arguments) {
  PrepareOrder order;
  order.folder = fs::path(arguments.Positional(0)).lexically_normal();
  // `shot/` and `.` have a name as well.
  fs::path named = fs::absolute(order.folder).lexically_normal();
  if (!named.has_filename()) named = named.parent_path();
  order.name = arguments.Get("name", SafeNameOf(named.filename().string()));
  CheckName("--name", order.name);
  order.output = arguments.Has("output") ? fs::path(arguments.Get("output")) : order.folder / order.name;
  order.video.rate = ParseFrameRate(arguments.Get("fps", "24"));
  order.video.crop_odd = arguments.Has("crop-odd");
  order.video.invert_depth = arguments.Has("depth-invert");
  if (arguments.Has("depth-range")) order.video.depth = ParseDepthRange(arguments.Get("depth-range"));
  order.layer = ReadOption(arguments, "layer");
  order.colorspace = ReadColorspace(arguments);
  order.frames.patterns = ReadPatterns(arguments);
  if (arguments.Has("frames")) order.frames.frames = FrameSet::Parse(arguments.Get("frames"));
  order.frames.hold_gaps = HoldsGaps(arguments);
  return order;
}

// Look and, unless there is something wrong or nothing shall be made, make; tells of it.
int LookAndMake(ShotPreparation* preparation, const Arguments& arguments, const CancelToken& cancel, Console* console) {
  const bool dry = arguments.Has("dry-run");
  PrepareProgress progress(console, arguments.Has("progress"));
  const auto listener = [&](const std::string& control, const std::string& phase, std::int64_t done,
                            std::int64_t total) { progress.Show(control, phase, done, total); };
  preparation->Look(cancel, listener);
  progress.Erase();
  const bool good = !HasErrors(preparation->findings());
  if (!console->json()) PrintShotFindings(preparation->findings(), console);
  if (good && !dry) preparation->Make(cancel, listener);
  progress.Erase();
  if (console->json()) {
    console->PrintJson(PreparedToJson(*preparation, dry));
  } else if (good) {
    PrintPrepared(*preparation, dry, console);
  }
  return good ? kExitSucceeded : kExitWrongInput;
}

int Prepare(const Arguments& arguments, Console* console) {
  ShotPreparation preparation(ReadOrder(arguments));
  CancelToken cancel;
  const Interrupt interrupt(&cancel, "stopping; what is whole stays");
  try {
    return LookAndMake(&preparation, arguments, cancel, console);
  } catch (const Error&) {
    if (!cancel.cancelled()) throw;
    return kExitCancelled;
  }
}

}  // namespace

Command PrepareCommand() {
  std::vector<OptionSpec> options = {
      {"output", "DIR", "where videos and manifest.json go (default: FOLDER/NAME)"},
      {"name", "NAME", "the name of the shot (default: the folder's)"},
      {"fps", "RATE", "frames a second: 24 (default), 23.976, 24000/1001"},
      {"frames", "SET", "take only these frames: 1001-1100, 1-100x2, 1,5,10-20; negative ones as --frames=-5-20"},
      {"map", "CONTROL=PATTERN", "which sequence is a control: depth=z.%04d.exr, z.####.exr or z.$F4.exr", true},
      {"layer", "[CONTROL=]NAME", "the layer of EXR files to take: diffuse, depth=ViewLayer.Depth", true},
      {"colorspace", "[CONTROL=]SPACE",
       "what the colours are in: linear-srgb (default for float), srgb (for integers), acescg, aces2065-1, raw, or a "
       "name "
       "of the OpenColorIO configuration $OCIO",
       true},
      {"allow-gaps", "hold", "repeat the frame before a gap"},
      {"crop-odd", "", "cut the last column or row of odd sizes"},
      {"depth-range", "NEAR:FAR", "distances that are white and black (default: those of all frames)"},
      {"depth-invert", "", "far is white"},
      {"progress", "", "print lines of progress to stderr, for logs"},
      {"dry-run", "", "report what is found, and write nothing"}};
  for (const OptionSpec& option : CommonOptions()) options.push_back(option);
  return {
      "prepare",
      "FOLDER [options]",
      "Makes control videos from rendered frames.",
      "Finds the frame sequences below FOLDER, reports all problems with them at once, and makes a video\n"
      "of each control (color, vis, seg, edge, depth, keypoint, hdmap, lidar: by the name of the sequence or of its\n"
      "folder), with a manifest.json. Run again, it makes only what has changed. See docs/prepare.md.\n"
      "Exit status: 0 all is made, 2 something is wrong with the frames and nothing was written, 3 ffmpeg or the\n"
      "disk failed, 130 stopped.",
      options,
      {"FOLDER", 1, 1},
      Prepare};
}

}  // namespace cosmos
