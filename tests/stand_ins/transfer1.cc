#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "stand_ins/arguments.h"
#include "stand_ins/scripts.h"
#include "stand_ins/world.h"

namespace cosmos::stand_ins {
namespace {

using nlohmann::json;

const std::set<std::string> kHints = {"vis", "seg", "edge", "depth", "keypoint", "upscale", "hdmap", "lidar"};
constexpr double kGigabytes = 80;  // without any offloading

std::vector<Argument> Known() {
  const std::vector<std::string> strengths = {"very_low", "low", "medium", "high", "very_high"};
  return {{"--prompt"},
          {"--negative_prompt"},
          {"--input_video_path"},
          {"--num_input_frames", 'i', {"1"}},
          {"--sigma_max", 'f'},
          {"--blur_strength", 's', strengths},
          {"--canny_threshold", 's', strengths},
          {"--controlnet_specs", 's', {}, true},
          {"--is_av_sample", 'b'},
          {"--checkpoint_dir"},
          {"--tokenizer_dir"},
          {"--video_save_name"},
          {"--video_save_folder"},
          {"--batch_input_path"},
          {"--batch_size", 'i'},
          {"--num_steps", 'i'},
          {"--guidance", 'f'},
          {"--fps", 'i'},
          {"--seed", 'i'},
          {"--num_gpus", 'i'},
          {"--offload_diffusion_transformer", 'b'},
          {"--offload_text_encoder_model", 'b'},
          {"--offload_guardrail_models", 'b'},
          {"--upsample_prompt", 'b'},
          {"--offload_prompt_upsampler", 'b'},
          {"--use_distilled", 'b'},
          {"--save_input_noise", 'b'},
          {"--benchmark", 'b'}};
}

// Unknown scalars are taken without a word, as the script does.
json ControlsOf(const json& spec, double sigma_max) {
  json controls = json::object();
  for (const auto& [key, value] : spec.items()) {
    if (value.is_object() && kHints.count(key) == 0)
      Raise("ValueError: Invalid hint_key: " + key + ". Must be one of vis, seg, …");
    if (value.is_object()) controls[key] = value;
  }
  const bool has_input = !spec.value("input_video_path", "").empty();
  if (!has_input && sigma_max < 80) Raise("ValueError: Must have 'input_video' specified if sigma_max < 80");
  for (const auto& [hint, control] : controls.items()) {
    const json weight = control.value("control_weight", json());
    const bool map = weight.is_string() && std::filesystem::path(weight.get<std::string>()).extension() == ".pt";
    if (!map && !(weight.is_number() && weight >= 0))
      Raise("ValueError: control_weight of " + hint + " must be non-negative or a .pt");
    const std::string video = control.value("input_control", "");
    if (video.empty() && !has_input) Raise("ValueError: " + hint + " needs input_control");
    if (!video.empty() && !Exists(video))
      Raise("FileNotFoundError: [Errno 2] No such file or directory: '" + video + "'");
  }
  if (controls.empty()) Raise("IndexError: list index out of range");
  return controls;
}

void Generate(const std::string& prompt, const json& controls, const std::string& folder, const std::string& name) {
  Log("INFO", "Starting T5 compute");
  Log("INFO", "Completed T5 compute");
  HangIfAsked(prompt);
  Log("INFO", "Run generation");
  Log("INFO", "Starting data augmentation");
  Log("INFO", "Completed data augmentation");
  Bar("", 0, 2);
  for (int clip = 1; clip <= 2; ++clip) {
    for (const char* part : {"latent encoding", "diffusion sampling", "VAE decode"}) {
      Log("INFO", std::string("Starting ") + part);
      Log("INFO", std::string("Completed ") + part);
    }
    Bar("", clip, 2);
  }
  Log("INFO", "Finish generation");
  Log("INFO", "Run guardrail on generated videos");
  std::filesystem::create_directories(folder);
  for (const char* hint : {"depth", "seg"}) {
    if (controls.contains(hint) && !controls[hint].contains("input_control")) {
      WriteClip(folder + "/" + hint + "_input_control_0.mp4");
    }
  }
  WriteClip(folder + "/" + name + ".mp4");
  WriteText(folder + "/" + name + ".txt", prompt);
  Log("INFO", "Saved video to " + folder + "/" + name + ".mp4");
}

// Whether the guardrail blocks all of them.
bool Blocked(const std::vector<std::string>& prompts) {
  Log("INFO", "Running guardrail checks on all prompts");
  std::size_t blocked = 0;
  for (const std::string& prompt : prompts) {
    if (!Forbidden(prompt)) continue;
    ++blocked;
    Log("CRITICAL", "GUARDRAIL BLOCKED: Prompt blocked by safety model: " + prompt);
  }
  if (blocked < prompts.size()) return false;
  Log("CRITICAL", "Guardrail blocked generation for entire batch.");
  return true;
}

// One clip of the batch after the other (--batch_size 1). The files of one that comes after a blocked one stand under
// the number of the blocked one: the script's own fault.
void RunBatch(const Arguments& arguments, const json& controls, const std::string& folder) {
  if (arguments.Number("--batch_size", 1) != 1) Raise("NotImplementedError: the stand-in makes one clip at a time");
  std::ifstream lines(arguments.Get("--batch_input_path"));
  std::string line;
  int number = 0;
  bool any = false;
  while (std::getline(lines, line)) {
    const json clip = json::parse(line, nullptr, false);
    if (!clip.is_object()) Raise("json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)");
    json own = controls;
    const json overrides = clip.value("control_overrides", json::object());
    for (const auto& [hint, override] : overrides.items()) {
      if (!own.contains(hint)) {
        Log("WARNING", "Ignoring unknown control key in override: " + hint);
        continue;
      }
      own[hint].update(override);
      if (own[hint]["input_control"].is_null()) own[hint].erase("input_control");
    }
    Log("INFO", "running preprocessor");
    const std::string prompt = clip.value("prompt", "");
    if (Blocked({prompt})) continue;
    any = true;
    const std::string below = folder + "/video_" + std::to_string(number++);
    Generate(prompt, own, below, "output");
    std::filesystem::rename(below + "/output.txt", below + "/prompt.txt");
  }
  if (!any) Raise("TypeError: cannot unpack non-iterable NoneType object");
}

}  // namespace

int Transfer1(const std::vector<std::string>& words, int gpus) {
  const Arguments arguments("transfer.py", Known(), words);
  if (arguments.Number("--num_gpus", 1) != gpus)
    Raise("RuntimeError: world size " + std::to_string(gpus) + " is not num_gpus");
  std::ifstream file(arguments.Get("--controlnet_specs"));
  const json spec = json::parse(file, nullptr, false);
  if (spec.is_discarded()) Raise("json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)");
  const json controls = ControlsOf(spec, arguments.Number("--sigma_max", 70));
  const std::string input = spec.value("input_video_path", "");
  if (!input.empty() && !Exists(input))
    Raise("FileNotFoundError: [Errno 2] No such file or directory: '" + input + "'");
  const std::string checkpoints = arguments.Get("--checkpoint_dir", "checkpoints");
  LoadModel(checkpoints + "/nvidia/Cosmos-Transfer1-7B/base_model.pt");
  double gigabytes = kGigabytes;
  for (const char* flag : {"--offload_diffusion_transformer", "--offload_text_encoder_model",
                           "--offload_guardrail_models", "--offload_prompt_upsampler"}) {
    if (arguments.Has(flag)) gigabytes -= 10;
  }
  NeedMemory(gigabytes, gpus);
  const std::string folder = arguments.Get("--video_save_folder", "outputs/");
  const std::string prompt = spec.value("prompt", arguments.Get("--prompt"));
  if (!arguments.Has("--batch_input_path")) {
    Log("INFO", "running preprocessor");
    if (Blocked({prompt})) return 0;  // as the script does for a single clip
    Generate(prompt, controls, folder, arguments.Get("--video_save_name", "output"));
  } else {
    RunBatch(arguments, controls, folder);
  }
  if (arguments.Has("--save_input_noise")) WriteText(folder + "/noise.pickle", "noise");
  return 0;
}

}  // namespace cosmos::stand_ins
