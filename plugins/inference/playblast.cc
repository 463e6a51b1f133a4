#include "inference/playblast.h"

#include <cmath>
#include <cosmos/failure.hpp>
#include <cosmos/media_input.hpp>
#include <cosmos/shell_quote.hpp>
#include <string>
#include <utility>
#include <vector>

#include "common/frame_progress.h"
#include "common/parameters.h"
#include "common/phase_timings.h"
#include "common/video_script.h"
#include "inference/burn_in.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;
using sdk::ShellQuote;

constexpr const char* kTitle = "PLAYBLAST - proxy, not a generated video";
// The burnt-in prompt: with the font size below, so many columns of capital letters fit.
constexpr std::size_t kColumns = 82;
constexpr std::size_t kLines = 1;  // the whole prompt stands in the record, and a box hides the picture

// One control that takes part in the mix.
struct Control {
  std::string name;
  double weight;
  std::string video;  // path on the target, or empty: made from the input
  std::string local;  // where it is now
};

// The schema of one control.
Json ControlSchema(const char* summary, const char* video, bool needs_video) {
  Json schema = Json::parse(R"json({
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "weight": {
        "type": "number", "minimum": 0, "default": 1,
        "description": "The control's share, relative to the other controls and to the input video, which has 1. 0 leaves the control out."
      },
      "video": {"type": "string", "format": "input-file", "minLength": 1}
    }
  })json");
  schema["description"] = summary;
  schema["properties"]["video"]["description"] = video;
  if (needs_video) schema["required"] = {"video"};
  return schema;
}

// What a control is made with when no video is given. $width is the picture's.
std::string MadeFromInput(const std::string& name) {
  if (name == "edge") return "format=gray,edgedetect=mode=wires:low=0.08:high=0.2";
  return "gblur=sigma=$((width / 60 + 1))";  // vis
}

std::vector<Control> ReadControls(sdk::Task& task, const Json& parameters) {
  const Json all = parameters.value("controls", Json::object());
  std::vector<Control> controls;
  for (const char* name : {"depth", "edge", "seg", "vis"}) {
    if (!all.is_object() || !all.contains(name)) continue;
    const Json& given = all.at(name);
    Control control{name, given.is_object() ? Number(given, "weight", 1) : 1, {}, {}};
    if (control.weight <= 0) continue;  // as the models do, a weight of 0 leaves the control out
    const std::string video = Text(given, "video");
    const bool can_be_made = control.name == "edge" || control.name == "vis";
    if (!video.empty()) {
      control.video = task.Input(video);
      control.local = video;
    } else if (!can_be_made && given.is_object()) {
      throw sdk::StageFailure("invalid_input", "control '" + control.name +
                                                   "' has no video, and playblast cannot make it from the input; give "
                                                   "controls." +
                                                   control.name + ".video or weight 0");
    }
    controls.push_back(control);
  }
  return controls;
}

// What stands in the record beside the video. The prompt is in it as it was given.
Json Record(const Json& parameters, const std::vector<Control>& controls) {
  Json record = {{"proxy", true},
                 {"note", kTitle},
                 {"model", "playblast"},
                 {"prompt", Text(parameters, "prompt")},
                 {"negative_prompt", Text(parameters, "negative_prompt")},
                 {"seed", parameters.value("seed", Json(1))},
                 {"input_video", Text(parameters, "input_video")},
                 {"controls", Json::object()}};
  for (const Control& control : controls) {
    record["controls"][control.name] = {{"weight", control.weight},
                                        {"source", !control.video.empty()   ? "video"
                                                   : control.name == "edge" ? "edge detection"
                                                                            : "blur"}};
  }
  return record;
}

std::string StatusLine(const Json& parameters, const std::vector<Control>& controls) {
  const Json seed = parameters.value("seed", Json(1));
  std::string line = "seed " + (seed.is_string() ? seed.get<std::string>() : seed.dump());
  for (const Control& control : controls) line += "  " + control.name + " " + Format(control.weight);
  return line;
}

// One text in the picture, from a file, so that no character of it means anything to the shell or the filter.
std::string DrawText(const std::string& file, const std::string& colour, const std::string& place) {
  return "drawtext=$font:textfile=.burn_in/" + file + ":expansion=none:fontcolor=" + colour + ":fontsize=$size" +
         ":box=1:boxcolor=black@0.55:boxborderw=$((size / 3)):line_spacing=$((size / 4)):" + place;
}

// A tint that the seed picks, so that one sees which is which: blue for 1, and far from each other for seeds that are
// next to each other (steps of the golden angle). It makes the picture neither darker nor lighter.
std::string Tint(const Json& parameters) {
  constexpr double kPi = 3.14159265358979;
  constexpr double kStrength = 0.24;
  constexpr std::uint64_t kPeriod = 144;  // after which 137.5 degrees have gone round whole times
  struct Channel {
    const char* name;
    double hue, share;  // of the lightness
  };
  constexpr Channel kChannels[] = {{"r", 0, 0.299}, {"g", 120, 0.587}, {"b", 240, 0.114}};
  const Json seed = parameters.value("seed", Json(1));
  const std::uint64_t step = seed.is_number_unsigned() ? (seed.get<std::uint64_t>() + kPeriod - 1) % kPeriod : 0;
  const auto amount = [&](const Channel& channel) {
    return kStrength * std::cos((240 + 137.5 * static_cast<double>(step) - channel.hue) * kPi / 180);
  };
  double lightness = 0;
  for (const Channel& channel : kChannels) lightness += channel.share * amount(channel);
  std::string filter = "colorbalance=";
  const char* next = "";
  for (const Channel& channel : kChannels) {
    const std::string text = Format(std::round((amount(channel) - lightness) * 1000) / 1000);
    for (const char* tones : {"s", "m"})
      filter += std::exchange(next, ":") + std::string(channel.name) + tones + "=" + text;
  }
  return filter;
}

bool BurnsIn(const Json& parameters) { return parameters.value("burn_in", Json(true)) != false; }

std::string BurnIn(bool shot) {
  std::string filters = DrawText("title", "orange", "x=$size:y=$size") + ",\n";
  if (shot) filters += DrawText("shot", "white", "x=w-tw-$size:y=$size") + ",\n";
  filters += DrawText("prompt", "white", "x=$size:y=3*$size") + ",\n";
  filters += DrawText("status", "white", "x=$size:y=h-2*$size") + ",\n";
  return filters +
         "drawtext=$font:text='frame %{eif\\:n*$step+($first)\\:d}':fontcolor=white:fontsize=$size:box=1"
         ":boxcolor=black@0.55:boxborderw=$((size / 3)):x=w-tw-$size:y=h-2*$size,\n";
}

// Sets `first` and `step`: the number of the first frame, and how much each further one adds. `prepare` notes in the
// videos that it makes which frames they are (`frames 1001-1100`).
std::string NumberFrames(const Json& parameters) {
  const Json first = parameters.value("first_frame", Json());
  if (first.is_number_integer()) return "first=" + first.dump() + " step=1\n";
  return "first=1 step=1\nnumbers=$(" + sdk::ShellFfprobe() +
         " -of default=noprint_wrappers=1:nokey=1 -show_entries format_tags=comment " + sdk::ShellMediaInput("input") +
         R"sh( | tr '\n' ' ')
if printf '%s\n' "$numbers" | grep -Eqx 'frames -?[0-9]{1,9}(--?[0-9]{1,9}(x[0-9]{1,9})?)? '; then
  numbers=${numbers#frames } && numbers=${numbers% }
  case $numbers in *x*) step=${numbers##*x} ;; esac
  case $numbers in -*) first=-${numbers#-} ;; *) first=$numbers ;; esac
  sign=${first%"${first#-}"} first=${first#-}
  first=$sign${first%%-*}
fi
)sh";
}

// The filters that make `[video]`. Only names, numbers and the script's own variables stand in it.
std::string FilterGraph(const Json& parameters, const std::vector<Control>& controls) {
  const std::string align = "fps=$rate,scale=$width:$height:flags=bicubic,setsar=1,";
  std::string graph = "[0:v]" + align + "format=yuv420p";
  std::string mixed = "[shot]";
  std::string weights = "1";
  std::string layers;
  std::string copies;
  int made = 0;
  int given = 0;
  for (const Control& control : controls) {
    const std::string pad = "[" + control.name + "]";
    if (control.video.empty()) {
      ++made;
      copies += "[for_" + control.name + "]";
      layers += "[for_" + control.name + "]" + MadeFromInput(control.name) + ",format=yuv420p" + pad + ";\n";
    } else {
      layers += "[" + std::to_string(++given) + ":v]" + align + "format=yuv420p" + pad + ";\n";
    }
    mixed += pad;
    weights += " " + Format(control.weight);
  }
  if (made > 0) graph += ",split=" + std::to_string(made + 1);
  graph += "[shot]" + copies + ";\n" + layers + mixed;
  // The weights are shares of the whole, so the picture gets neither darker nor lighter with more controls.
  if (!controls.empty()) {
    graph += "mix=inputs=" + std::to_string(controls.size() + 1) + ":weights=" + weights + ":duration=shortest,\n";
  }
  graph += Tint(parameters) + ",format=yuv420p,\n";
  if (BurnsIn(parameters)) graph += BurnIn(!Text(parameters, "shot").empty());
  return graph + "setsar=$sar,format=yuv420p[video]";
}

std::string Fraction(double fps) { return std::to_string(static_cast<long>(std::lround(fps * 1000))) + "/1000"; }

// The size and rate of the result, from what `probe` found and what was asked for.
std::string ChooseFormat(const Json& parameters) {
  const double width = Number(parameters, "width", 0);
  const double height = Number(parameters, "height", 0);
  std::string text;
  if (width > 0 && height > 0) {
    text += "width=" + Format(width) + " height=" + Format(height) + "\n";
  } else if (width > 0) {
    text += "height=$((height * " + Format(width) + " / width)) width=" + Format(width) + "\n";
  } else if (height > 0) {
    text += "width=$((width * " + Format(height) + " / height)) height=" + Format(height) + "\n";
  }
  text += "width=$(even $width) height=$(even $height)\n";
  const double fps = Number(parameters, "fps", 0);
  if (fps > 0) text += "total=$(frames_at " + Fraction(fps) + ")\nrate=" + Fraction(fps) + "\n";
  return text;
}

// drawtext takes no empty file, so nothing is written as a space.
std::string WriteFile(const std::string& file, const std::string& text) {
  return "printf %s " + ShellQuote(text.empty() ? " " : text) + " >" + file + "\n";
}

std::string PrepareBurnIn(const Json& parameters, const std::vector<Control>& controls) {
  std::string script = "mkdir -p .burn_in\ntrap 'rm -rf .burn_in' EXIT\n";
  script += WriteFile(".burn_in/title", kTitle);
  script += WriteFile(".burn_in/shot", WrapForBurnIn(Text(parameters, "shot"), kColumns / 2, 1));
  script += WriteFile(".burn_in/prompt", WrapForBurnIn(Text(parameters, "prompt"), kColumns, kLines));
  script += WriteFile(".burn_in/status", StatusLine(parameters, controls));
  script += NumberFrames(parameters);
  script += "size=$((width / 60)) font=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf\n";
  script += "if [ $size -lt 8 ]; then size=8; fi\n";
  return script + "if [ -r $font ]; then font=fontfile=$font; else font=font=Sans; fi\n";
}

}  // namespace

const char* Playblast::summary() const {
  return "A quick proxy of the shot, mixed by ffmpeg on the CPU; not a generated video.";
}

Json Playblast::Parameters() const {
  Json schema = Json::parse(R"json({
    "type": "object",
    "required": ["prompt", "input_video"],
    "additionalProperties": false,
    "properties": {
      "prompt": {
        "type": "string", "minLength": 1, "maxLength": 20000,
        "description": "What the shot shows. Reaches the video's metadata and the record unchanged."
      },
      "negative_prompt": {
        "type": "string", "maxLength": 20000, "default": "",
        "description": "What the shot must not show."
      },
      "seed": {"type": "integer", "minimum": 0, "default": 1, "description": "The seed of the model's noise."},
      "input_video": {
        "type": "string", "format": "input-file", "minLength": 1,
        "description": "The video of the shot, whose size, rate and length the result has unless told otherwise."
      },
      "controls": {
        "type": "object", "default": {}, "additionalProperties": false,
        "description": "What guides the picture, beside the prompt.",
        "properties": {}
      },
      "burn_in": {
        "type": "boolean", "default": true,
        "description": "Whether title, shot, prompt, seed, weights and frame number are burnt in."
      },
      "shot": {
        "type": "string", "maxLength": 1000, "default": "",
        "description": "What is burnt in as the shot's name and version, such as sq010 sh020 v003."
      },
      "first_frame": {
        "type": "integer", "minimum": -999999999, "maximum": 999999999,
        "description": "The number of the first frame, for the burn-in. Default: what `prepare` noted in the input video, else 1."
      },
      "fps": {
        "type": "number", "exclusiveMinimum": 0, "maximum": 240,
        "description": "Frames a second of the result. Default: the input video's."
      },
      "max_frames": {"type": "integer", "minimum": 1, "description": "The most frames to make. Default: no limit."},
      "width": {
        "type": "integer", "minimum": 16, "maximum": 8192, "multipleOf": 2,
        "description": "Width in pixels. Default: the input video's, or what keeps its shape when height is given."
      },
      "height": {
        "type": "integer", "minimum": 16, "maximum": 8192, "multipleOf": 2,
        "description": "Height in pixels. Default: the input video's, or what keeps its shape when width is given."
      }
    }
  })json");
  schema["properties"]["controls"]["properties"] = {
      {"depth", ControlSchema("Distances.", "The depth video.", true)},
      {"edge",
       ControlSchema("Outlines.", "The edge video. Default: made from the input video by edge detection.", false)},
      {"seg", ControlSchema("What is what, in flat colours.", "The segmentation video.", true)},
      {"vis", ControlSchema("Colours and large shapes.",
                            "The blurred video. Default: made from the input video by blurring.", false)}};
  return schema;
}

std::unique_ptr<LogReader> Playblast::Reader(const Json& parameters, int) const {
  auto video = sdk::VideoExpectation::Like(Text(parameters, "input_video"));
  video.frames = static_cast<int>(Number(parameters, "max_frames", 0));
  return std::make_unique<FrameProgress>("rendering",
                                         HistoryKey(name(), parameters, {"width", "height", "fps"}, video));
}

sdk::JobSpec Playblast::Build(sdk::Task& task, const Json& parameters) const {
  const std::string prompt = Text(parameters, "prompt");
  const std::vector<Control> controls = ReadControls(task, parameters);
  const double max_frames = Number(parameters, "max_frames", 0);

  std::string script = VideoScriptHead();
  script += "echo 'PLAYBLAST: this is a proxy made with ffmpeg, not a generated video.'\n";
  script += SetAbsolute("input", task.Input(Text(parameters, "input_video")));
  std::string inputs = " " + sdk::ShellMediaInput("input");
  for (const Control& control : controls) {
    if (control.video.empty()) continue;
    script += SetAbsolute(control.name, control.video);
    inputs += " " + sdk::ShellMediaInput(control.name);
  }
  script += "cd " + ShellQuote(task.OutputFolder()) + "\n";

  // The shortest of all videos decides, as in the mix.
  script += "probe \"$input\"\ntotal=$frames\n" + ChooseFormat(parameters);
  script += "echo \"$width x $height pixels, $rate frames a second\"\n";
  for (const Control& control : controls) {
    if (control.video.empty()) continue;
    script += "frames=$(to=$rate; probe \"$" + control.name + "\"; frames_at \"$to\")\n";
    script += "if [ $frames -lt $total ]; then total=$frames; fi\n";
  }
  if (max_frames > 0)
    script += "if [ $total -gt " + Format(max_frames) + " ]; then total=" + Format(max_frames) + "; fi\n";
  script += "echo \"frames to do: $total\"\n";

  if (BurnsIn(parameters)) script += PrepareBurnIn(parameters, controls);
  script += WriteFile("output.json", Record(parameters, controls).dump(2) + "\n");
  script += sdk::ShellFfmpeg() + inputs + " -filter_complex \"\n" + FilterGraph(parameters, controls) +
            "\" -map '[video]' -an";
  script += " -map_metadata -1 -metadata title=" + ShellQuote(kTitle) + " -metadata comment=" + ShellQuote(prompt);
  if (max_frames > 0) script += " -frames:v " + Format(max_frames);
  script += " -fflags +bitexact " + X264(20) + " output.mp4\n";
  script +=
      "echo 'PLAYBLAST: done. The prompt took no part in the picture; it is what the shot would be generated with.'\n";

  sdk::JobSpec spec;
  spec.script = std::move(script);
  spec.outputs["video"] = {"output.mp4", "video", false};
  spec.outputs["record"] = {"output.json", "file", false};
  spec.needs.videos = {{"input_video", Text(parameters, "input_video")}};
  for (const Control& control : controls) {
    if (!control.local.empty()) spec.needs.videos.push_back({"controls." + control.name + ".video", control.local});
  }
  return spec;
}

}  // namespace cosmos::plugins
