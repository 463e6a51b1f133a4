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

constexpr double kGigabytes = 65.4;
constexpr int kChunk = 93;

std::vector<Argument> Known(bool predict) {
  std::vector<Argument> known = {{"-i", 'l', {}, true},
                                 {"-o", 's', {}, true},
                                 {"--checkpoint-path"},
                                 {"--experiment"},
                                 {"--config-file"},
                                 {"--context-parallel-size", 'i'},
                                 {"--disable-guardrails", 'b'},
                                 {"--offload-guardrail-models", 'b'},
                                 {"--no-offload-guardrail-models", 'b'},
                                 {"--keep-going", 'b'},
                                 {"--no-keep-going", 'b'},
                                 {"--profile", 'b'}};
  if (predict) {
    known.insert(known.end(),
                 {{"--model", 's', {"2B/post-trained", "2B/pre-trained", "14B/pre-trained", "14B/post-trained"}},
                  {"--offload-diffusion-model", 'b'},
                  {"--offload-tokenizer", 'b'},
                  {"--offload-text-encoder", 'b'}});
  } else {
    std::vector<std::string> models = {"depth", "edge", "seg", "vis"};
    if (Variable("COSMOS_EXPERIMENTAL_CHECKPOINTS", "") == "1") models.emplace_back("edge/distilled");
    known.insert(known.end(), {{"--model", 's', models},
                               {"--benchmark", 'b'},
                               {"--enable-parallel-tokenizer", 'b'},
                               {"--compile-tokenizer", 's', {"none", "moderate", "aggressive"}},
                               {"--parallel-tokenizer-grid", 'l'}});
  }
  return known;
}

const std::set<std::string> kControls = {"edge", "depth", "vis", "seg"};

std::set<std::string> KeysOf(bool predict) {
  if (predict) {
    return {"name",           "prompt",       "prompt_path", "negative_prompt",   "seed",      "guidance",
            "inference_type", "input_path",   "resolution",  "num_output_frames", "num_steps", "enable_autoregressive",
            "chunk_size",     "chunk_overlap"};
  }
  return {"name",
          "prompt",
          "prompt_path",
          "negative_prompt",
          "seed",
          "guidance",
          "video_path",
          "max_frames",
          "context_frame_index",
          "image_context_path",
          "num_conditional_frames",
          "resolution",
          "sigma_max",
          "num_video_frames_per_chunk",
          "num_steps",
          "show_control_condition",
          "show_input",
          "keep_input_resolution",
          "guided_generation_mask",
          "guided_generation_step_threshold",
          "guided_generation_foreground_labels",
          "edge",
          "depth",
          "vis",
          "seg"};
}

// As pydantic does with extra="forbid".
void Validate(const json& sample, bool predict) {
  const auto wrong = [](const std::string& key, const std::string& why) {
    Raise("1 validation error for InferenceArguments\n" + key + "\n  " + why);
  };
  const std::set<std::string> keys = KeysOf(predict);
  for (const auto& [key, value] : sample.items()) {
    if (keys.count(key) == 0) wrong(key, "Extra inputs are not permitted");
  }
  if (!sample.contains("name") || !sample.contains("prompt")) wrong("prompt", "Field required");
  if (sample.contains("sigma_max") && !sample["sigma_max"].is_string())
    wrong("sigma_max", "Input should be a valid string");
  if (sample.contains("guidance") && !sample["guidance"].is_number_integer())
    wrong("guidance", "Input should be a valid integer");
  if (predict) {
    const bool text = sample.value("inference_type", "") == "text2world";
    if (!text && !sample.contains("input_path")) wrong("input_path", "input_path is required");
    return;
  }
  int controls = 0;
  for (const std::string& control : kControls) {
    if (!sample.contains(control)) continue;
    ++controls;
    if (const double weight = sample[control].value("control_weight", 1.0); weight < 0 || weight > 1) {
      wrong(control, "Input should be less than or equal to 1");
    }
    for (const char* path : {"control_path", "mask_path"}) {
      if (sample[control].contains(path) && !Exists(sample[control][path]))
        wrong(path, "Path does not point to a file");
    }
  }
  if (controls == 0) wrong("controls", "No controls provided, please provide at least one control key");
  if (!Exists(sample.value("video_path", ""))) wrong("video_path", "Path does not point to a file");
}

std::vector<json> Samples(const std::vector<std::string>& files) {
  std::vector<json> samples;
  std::set<std::string> names;
  for (const std::string& path : files) {
    std::ifstream file(path);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    if (std::filesystem::path(path).extension() == ".json") {
      samples.push_back(json::parse(text, nullptr, false));
    } else {
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        samples.push_back(json::parse(text.substr(at, end - at), nullptr, false));
        at = end + 1;
      }
    }
  }
  for (const json& sample : samples) {
    if (!sample.is_object()) Raise("json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)");
    if (!names.insert(sample.value("name", "")).second) Raise("Error: Inference samplename is not unique");
  }
  return samples;
}

// False when the guardrail blocked it.
bool Generate(const json& sample, const std::string& stem) {
  const std::string prompt = sample["prompt"];
  WriteText(stem + ".json", sample.dump());
  Log("INFO", "Running guardrail check on prompt...");
  if (Forbidden(prompt)) {
    Log("CRITICAL", "GUARDRAIL BLOCKED: " + prompt);
    Log("CRITICAL", "Guardrail blocked generation. Prompt: " + prompt);
    return false;
  }
  Log("SUCCESS", "Passed guardrail on prompt");
  Log("INFO", "Processing the following paths: {}");
  HangIfAsked(prompt);
  constexpr int kChunks = 2, kSteps = 4;
  for (int chunk = 1; chunk <= kChunks; ++chunk) {
    if (Variable("COSMOS_VERBOSE", "") == "1")
      Log("INFO", "Generating chunk " + std::to_string(chunk) + "/" + std::to_string(kChunks));
    for (int step = 0; step <= kSteps; ++step) Bar("Generating samples", step, kSteps);
  }
  Log("INFO", "Running guardrail check on video...");
  for (const std::string& control : kControls) {
    if (sample.contains(control) && !sample[control].contains("control_path"))
      WriteClip(stem + "_control_" + control + ".mp4");
  }
  WriteClip(stem + ".mp4");
  WriteText(stem + ".txt", prompt);
  Log("SUCCESS", "Generated video saved to " + stem + ".mp4");
  return true;
}

}  // namespace

int Cosmos25(const std::vector<std::string>& words, int gpus, bool predict) {
  const Arguments arguments("inference.py", Known(predict), words);
  const std::vector<json> samples = Samples(arguments.List("-i"));
  double gigabytes = 0;
  for (const json& sample : samples) {
    Validate(sample, predict);
    gigabytes = std::max(gigabytes, kGigabytes * sample.value("num_video_frames_per_chunk", kChunk) / kChunk);
  }
  if (arguments.Has("--offload-guardrail-models")) gigabytes -= 10;
  Log("INFO", "Loading keys for batch hints self.batch_hint_keys=['edge']");
  LoadModel(arguments.Get("--checkpoint-path", "checkpoints/model.pt"));
  NeedMemory(gigabytes, gpus);
  const std::string folder = arguments.Get("-o");
  std::filesystem::create_directories(folder);
  WriteText(folder + "/config.yaml", "model: stand-in\n");
  WriteText(folder + "/console.log", "console\n");
  WriteText(folder + "/debug.log", "debug\n");
  Log("INFO", "Saved config to " + folder + "/config.yaml");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::string name = samples[i]["name"];
    Log("INFO", "[" + std::to_string(i + 1) + "/" + std::to_string(samples.size()) + "] Processing sample " + name);
    if (Generate(samples[i], folder + "/" + name)) continue;
    if (arguments.Has("--no-keep-going"))
      Raise("Exception: Guardrail blocked generation. Prompt: " + samples[i]["prompt"].get<std::string>());
    if (gpus > 1) HangIfAsked("hang");  // the other ranks wait for the first
  }
  return 0;
}

}  // namespace cosmos::stand_ins
