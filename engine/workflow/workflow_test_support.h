#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "workflow/check.h"

namespace cosmos {

// Plugins as the built-in ones describe themselves, as far as the checks look at them.
class FakePlugins final : public PluginDirectory {
 public:
  FakePlugins();

  PluginFacts& Add(const std::string& id, PluginFacts::Kind kind, const std::string& parameters,
                   const std::string& outputs = "null");
  void SetProblem(const std::string& id, const std::string& problem) { problems_[id] = problem; }

  const PluginFacts* Find(const std::string& id) const override {
    const auto found = plugins_.find(id);
    return found == plugins_.end() ? nullptr : &found->second;
  }
  std::vector<std::string> Ids(PluginFacts::Kind kind) const override {
    std::vector<std::string> ids;
    for (const auto& [id, facts] : plugins_) {
      if (facts.kind == kind) ids.push_back(id);
    }
    return ids;
  }
  std::string Problem(const std::string& id) const override {
    const auto found = problems_.find(id);
    return found == problems_.end() ? "" : found->second;
  }

 private:
  std::map<std::string, PluginFacts> plugins_;
  std::map<std::string, std::string> problems_;
};

inline FakePlugins::FakePlugins() {
  using Kind = PluginFacts::Kind;
  Add("noop", Kind::kStage, R"({"type": "object", "additionalProperties": false})");
  PluginFacts& shell = Add("shell", Kind::kStage, R"({
    "type": "object", "additionalProperties": false,
    "oneOf": [{"required": ["run"]}, {"required": ["argv"]}],
    "properties": {
      "run": {"type": "string", "minLength": 1, "x-no-secrets": true},
      "argv": {"type": "array", "items": {"type": "string"}},
      "outputs": {"type": "object"}
    }})");
  shell.outputs_from = "outputs";
  Add("prompt-enhancement", Kind::kStage, R"({
    "type": "object", "required": ["prompt"], "additionalProperties": false,
    "properties": {"prompt": {"type": "string"}, "style": {"type": "string", "default": "film"},
                   "api_key": {"type": "string", "x-only-secret": true}}})",
      R"({"type": "object", "properties": {"prompt": {"type": "string"}, "prompt_id": {"type": "string"}}})");
  plugins_["prompt-enhancement"].log_is_operation = true;
  PluginFacts& inference = Add("inference", Kind::kStage, R"({
    "type": "object", "required": ["model", "prompt", "input_video"], "additionalProperties": false,
    "properties": {
      "model": {"enum": ["cosmos-transfer1", "playblast"]},
      "prompt": {"type": "string"},
      "seed": {"type": "integer", "minimum": 0, "default": 1},
      "input_video": {"type": "string", "format": "input-file"},
      "controls": {"type": "object", "default": {}, "additionalProperties": {
        "type": "object", "additionalProperties": false,
        "properties": {"weight": {"type": "number", "minimum": 0}, "video": {"type": "string", "format": "input-file"}}}}
    }})",
                               R"({"type": "object", "properties": {"video": {"type": "string"}}})");
  inference.prompt_name_is_workflow = true;
  PluginFacts& upscaling = Add("upscaling", Kind::kStage, R"({
    "type": "object", "required": ["input"], "additionalProperties": false,
    "properties": {"input": {"type": ["string", "array"], "format": "input-file",
                             "items": {"type": "string", "format": "input-file"}},
                   "weight": {"type": "number"}}})",
                               R"({"type": "object", "properties": {"video": {"type": "string"}}})");
  upscaling.prompt_name_is_workflow = true;
  upscaling.folder = "{prompt_name}_upscaled";
  Add("diagnostics", Kind::kStage, R"({"type": "object"})");
  Add("log-streamer", Kind::kHook, R"({
    "type": "object", "additionalProperties": false,
    "properties": {"poll_interval": {"type": ["string", "number"], "format": "duration", "default": "2s"}}})");
  Add("gpu-monitor", Kind::kHook, R"({"type": "object", "properties": {"interval": {"format": "duration"}}})");
}

inline PluginFacts& FakePlugins::Add(const std::string& id, PluginFacts::Kind kind, const std::string& parameters,
                                     const std::string& outputs) {
  PluginFacts& facts = plugins_[id];
  facts.id = id;
  facts.kind = kind;
  facts.parameters = nlohmann::json::parse(parameters);
  facts.outputs = nlohmann::json::parse(outputs);
  return facts;
}

// An environment that has only HOME.
inline std::optional<std::string> TestEnvironment(const std::string& name) {
  return name == "HOME" ? std::optional<std::string>("/home/me") : std::nullopt;
}

inline CheckInput InputOf(const std::string& text) {
  CheckInput input;
  input.file = "w.yaml";
  input.text = text;
  input.input_files = false;
  input.environment = TestEnvironment;
  return input;
}

inline std::vector<std::string> TextsOf(const Findings& findings) {
  std::vector<std::string> texts;
  for (const Finding& finding : findings) texts.push_back(ToText(finding));
  return texts;
}

inline std::vector<std::string> FindingsOf(const CheckInput& input) {
  return TextsOf(Check(input, FakePlugins()).findings);
}
inline std::vector<std::string> FindingsOf(const std::string& text) { return FindingsOf(InputOf(text)); }

// The plan; a failed test with the findings when there is none.
inline Plan PlanOf(const CheckInput& input) {
  CheckResult result = Check(input, FakePlugins());
  for (const std::string& text : TextsOf(result.findings)) ADD_FAILURE() << text;
  return result.plan ? *std::move(result.plan) : Plan{};
}
inline Plan PlanOf(const std::string& text) { return PlanOf(InputOf(text)); }

}  // namespace cosmos
