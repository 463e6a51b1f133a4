#include "upscaling/lanczos.h"

#include <cosmos/media_input.hpp>
#include <cosmos/shell_quote.hpp>

#include "common/parameters.h"
#include "common/phase_timings.h"
#include "common/video_script.h"

namespace cosmos::plugins {
namespace {

// The scale filter's size: even, as yuv420p needs it.
std::string Size(const sdk::Json& parameters) {
  const double width = Number(parameters, "width", 0);
  const double height = Number(parameters, "height", 0);
  if (width > 0 || height > 0) {
    return "w=" + (width > 0 ? Format(width) : "-2") + ":h=" + (height > 0 ? Format(height) : "-2");
  }
  const std::string scale = Format(Number(parameters, "scale", 3));
  return "w=round(iw*" + scale + "/2)*2:h=round(ih*" + scale + "/2)*2";
}

// For double quotes in a shell, in which `sar` is the shape of the input's pixels, which stays.
std::string Filter(const sdk::Json& parameters) {
  std::string filter = "scale=" + Size(parameters) + ":flags=lanczos+accurate_rnd,setsar=$sar";
  const double weight = Number(parameters, "weight", 0.5);
  if (weight > 0) filter += ",unsharp=5:5:" + Format(weight) + ":5:5:0";
  return filter + ",format=yuv420p";
}

}  // namespace

std::vector<std::string> InputsOf(const sdk::Json& parameters) {
  const sdk::Json& input = parameters.at("input");
  if (input.is_string()) return {Text(parameters, "input")};
  return input.get<std::vector<std::string>>();
}

std::string OutputName(std::size_t index, std::size_t count) {
  return count == 1 ? "video" : "video_" + std::to_string(index + 1);
}

sdk::Json LanczosParameters() {
  return sdk::Json::parse(R"json({
    "type": "object",
    "required": ["input"],
    "additionalProperties": false,
    "properties": {
      "input": {
        "type": ["string", "array"], "format": "input-file", "minLength": 1,
        "minItems": 1, "items": {"type": "string", "format": "input-file", "minLength": 1},
        "description": "The video to enlarge, or a list of videos, such as the output of a stage with a matrix."
      },
      "scale": {
        "type": "number", "minimum": 1, "maximum": 16, "default": 3,
        "description": "How many times as wide and as high. Not used when width or height is given."
      },
      "width": {
        "type": "integer", "minimum": 16, "maximum": 16384, "multipleOf": 2,
        "description": "Width in pixels. Default: by scale, or what keeps the shape when height is given."
      },
      "height": {
        "type": "integer", "minimum": 16, "maximum": 16384, "multipleOf": 2,
        "description": "Height in pixels. Default: by scale, or what keeps the shape when width is given."
      },
      "weight": {
        "type": "number", "minimum": 0, "maximum": 1, "default": 0.5,
        "description": "How much detail is added, 0 to 1. lanczos takes it as the strength of sharpening; 0 is none."
      },
      "crf": {
        "type": "number", "minimum": 0, "maximum": 51, "default": 18,
        "description": "Quality of the x264 encoding: 0 is lossless, 51 the worst."
      }
    }
  })json");
}

sdk::JobSpec LanczosJob(sdk::Task& task, const sdk::Json& parameters) {
  const std::vector<std::string> inputs = InputsOf(parameters);
  sdk::JobSpec spec;
  std::string count;
  std::string work;
  spec.script = VideoScriptHead();
  // Sound that an mp4 can hold stays as it is.
  spec.script += "sound() {\n  case $(" + sdk::ShellFfprobe() +
                 " -select_streams a:0 -show_entries stream=codec_name -of default=nk=1:nw=1 " +
                 sdk::ShellMediaInput("1") + R"sh() in
    aac | mp3 | ac3 | eac3 | alac | opus | flac) echo copy ;;
    *) echo aac ;;
  esac
}
)sh";
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string variable = "input_" + std::to_string(i + 1);
    const std::string file = inputs.size() == 1 ? "output.mp4" : "output_" + std::to_string(i + 1) + ".mp4";
    spec.needs.videos.push_back({"input", inputs[i]});
    spec.outputs[OutputName(i, inputs.size())] = {file, "video", false};
    spec.script += SetAbsolute(variable, task.Input(inputs[i]));
    count += "probe \"$" + variable + "\"\ntotal=$((total + frames))\n";
    work += "probe \"$" + variable + "\"\necho \"" + file + ": from $width x $height, $frames frames\"\n";
    work += "echo \"frames done: $done\"\ndone=$((done + frames))\n";
    work += sdk::ShellFfmpeg() + " " + sdk::ShellMediaInput(variable) + " -map 0:v:0 -map '0:a?' -vf \"" +
            Filter(parameters) + "\" -fps_mode passthrough -c:a \"$(sound \"$" + variable + "\")\" -fflags +bitexact " +
            X264(Number(parameters, "crf", 18)) + " " + file + "\n";
  }
  spec.script += "cd " + sdk::ShellQuote(task.OutputFolder()) + "\ntotal=0 done=0\n" + count +
                 "echo \"frames to do: $total\"\n" + work;
  return spec;
}

sdk::Json LanczosKey(const sdk::Json& parameters) {
  const std::vector<std::string> inputs = InputsOf(parameters);
  const auto video = inputs.empty() ? sdk::VideoExpectation() : sdk::VideoExpectation::Like(inputs.front());
  sdk::Json key = HistoryKey("lanczos", parameters, {"scale", "width", "height", "crf"}, video);
  key["inputs"] = inputs.size();
  return key;
}

}  // namespace cosmos::plugins
