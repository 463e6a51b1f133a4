#include "inference/command_model.h"

#include <cosmos/line_splitter.hpp>
#include <filesystem>
#include <regex>
#include <utility>

#include "common/duration_progress.h"
#include "common/parameters.h"
#include "common/phase_timings.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;

constexpr const char* kPhase = "rendering";

// Reports what a regular expression finds in the lines of the log: its first group is how much is done, its second, if
// there is one, of how much; else of 100.
class PatternReader final : public DurationProgress {
 public:
  PatternReader(const std::string& pattern, Json key)
      : DurationProgress(kPhase, std::move(key)),
        pattern_(pattern, std::regex::ECMAScript | std::regex::optimize),
        lines_([this](std::string_view line) { ReadLine(line); }) {}

  void Read(sdk::Task& task, std::string_view bytes) override {
    Heard(task);
    lines_.Push(bytes);
    if (std::exchange(news_, false)) Report(task, done_, total_);
  }

 private:
  // std::regex goes down a level for each character, so that a long line would be too much for the stack.
  static constexpr std::size_t kLongestLine = 2000;

  void ReadLine(std::string_view line) {
    std::cmatch match;
    line = line.substr(0, kLongestLine);
    if (!std::regex_search(line.data(), line.data() + line.size(), match, pattern_) || match.size() < 2) return;
    const double done = std::strtod(match[1].str().c_str(), nullptr);
    const double total = match.size() > 2 && match[2].matched ? std::strtod(match[2].str().c_str(), nullptr) : 100;
    if (!(total > 0) || !(done >= done_)) return;
    done_ = std::min(done, total);
    total_ = total;
    news_ = true;
  }

  const std::regex pattern_;
  double done_ = 0;
  double total_ = 0;
  bool news_ = false;
  sdk::LineSplitter lines_;
};

bool IsVideo(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension();
  return extension == ".mp4" || extension == ".mov" || extension == ".mkv" || extension == ".webm";
}

// The program, and the first video that it reads.
Json KeyOf(const std::string& model, const Json& parameters) {
  sdk::VideoExpectation video;
  const Json inputs = parameters.value("inputs", Json::object());
  for (const auto& [name, file] : inputs.items()) {
    const std::string path = file.get<std::string>();
    if (video.empty() && IsVideo(path)) video = sdk::VideoExpectation::Like(path);
  }
  return HistoryKey(model, parameters, {"run", "argv"}, video);
}

std::string Upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

const char* CommandModel::summary() const {
  return "A program of your own, which finds its inputs in its environment.";
}

Json CommandModel::Parameters() const {
  return Json::parse(R"json({
    "type": "object",
    "additionalProperties": false,
    "oneOf": [{"required": ["run"]}, {"required": ["argv"]}],
    "properties": {
      "run": {
        "type": "string", "minLength": 1, "x-no-secrets": true,
        "description": "A script for /bin/sh, which ends at the first command that fails. It finds $PROMPT, $NEGATIVE_PROMPT, $SEED, $GPUS and, for each input, $INPUT_NAME in its environment. Either run or argv."
      },
      "argv": {
        "type": "array", "minItems": 1, "items": {"type": "string"}, "x-no-secrets": true,
        "description": "A program and its arguments, started without a shell. Either run or argv."
      },
      "prompt": {"type": "string", "minLength": 1, "maxLength": 20000, "description": "What the shot shows: $PROMPT."},
      "negative_prompt": {"type": "string", "maxLength": 20000, "description": "What it must not show: $NEGATIVE_PROMPT."},
      "seed": {"type": "integer", "minimum": 0, "default": 1, "description": "The seed of the noise: $SEED."},
      "inputs": {
        "type": "object", "default": {},
        "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_]*$", "x-hint": "use letters, digits and _"},
        "additionalProperties": {"type": "string", "format": "input-file", "minLength": 1},
        "description": "Files it reads, by name; where the job runs, $INPUT_NAME is their path."
      },
      "outputs": {
        "type": "object", "default": {"video": "output.mp4"},
        "additionalProperties": {"type": "string", "minLength": 1},
        "description": "Files it makes, by name, below $COSMOS_OUTPUT_DIR. They must be there, and .mp4, .mov, .mkv and .webm must decode."
      },
      "progress": {
        "type": "string", "minLength": 1, "maxLength": 1000,
        "description": "A regular expression (ECMAScript) that finds in a line of the log how much is done: its first group, out of its second, or out of 100. Without it, how far the job is follows from how long it took before."
      }
    }
  })json");
}

sdk::JobSpec CommandModel::Build(sdk::Task& task, const Json& parameters) const {
  sdk::JobSpec job;
  if (parameters.contains("argv")) {
    job.argv = parameters.at("argv").get<std::vector<std::string>>();
  } else {
    job.script = "set -e\n" + Text(parameters, "run");
  }
  job.env = {{"PROMPT", Text(parameters, "prompt")},
             {"NEGATIVE_PROMPT", Text(parameters, "negative_prompt")},
             {"SEED", Format(Number(parameters, "seed", 1))},
             {"GPUS", std::to_string(task.context().gpus)}};
  const Json inputs = parameters.value("inputs", Json::object());
  for (const auto& [name, file] : inputs.items()) {
    job.env["INPUT_" + Upper(name)] = task.Input(file.get<std::string>());
  }
  const Json outputs = parameters.value("outputs", Json::object());
  for (const auto& [name, file] : outputs.items()) {
    const std::string path = file.get<std::string>();
    job.outputs[name] = {path, IsVideo(path) ? "video" : "file", false, {}};
  }
  return job;
}

std::unique_ptr<LogReader> CommandModel::Reader(const Json& parameters, int) const {
  const std::string pattern = Text(parameters, "progress");
  if (pattern.empty()) return std::make_unique<DurationProgress>(kPhase, KeyOf(name(), parameters));
  try {
    return std::make_unique<PatternReader>(pattern, KeyOf(name(), parameters));
  } catch (const std::regex_error& e) {
    throw sdk::StageFailure("invalid_input", "'progress' is no regular expression: " + std::string(e.what()) +
                                                 "; write one such as 'step (\\d+) of (\\d+)'");
  }
}

}  // namespace cosmos::plugins
