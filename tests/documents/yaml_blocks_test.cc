// Every YAML block of the documents is what the program takes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "core/json_values.h"
#include "documents/markdown.h"
#include "support/sandbox.h"
#include "workflow/workflow_schema.h"
#include "workflow/yaml_document.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

// A plugin that a reader writes, and one of the tests' that takes the same.
constexpr const char* kOwnPlugin = "my-stage";
constexpr const char* kPluginLikeIt = "file-copy";

bool HasOnlyComments(const std::string& text) { return !std::regex_search(text, std::regex("(^|\n) *[^ #\n]")); }

bool AreKeysOf(const json& schema, const json& value) {
  const json& properties = ObjectIn(schema, "properties");
  return std::all_of(value.items().begin(), value.items().end(),
                     [&](const auto& item) { return properties.contains(item.key()); });
}

// A workflow that has what a block shows: a whole one, some of its keys, some stages, or some keys of a stage.
json WorkflowOf(const json& shown) {
  const json schema = json::parse(WorkflowSchema());
  json workflow = {{"version", 1}};
  if (AreKeysOf(schema, shown)) {
    workflow.update(shown);
  } else if (AreKeysOf(schema["definitions"]["stage"], shown)) {
    workflow["stages"]["shown"] = shown;
    if (shown.contains("with") && shown["with"].contains("model")) workflow["stages"]["shown"]["uses"] = "inference";
    if (!workflow["stages"]["shown"].contains("uses")) workflow["stages"]["shown"]["uses"] = "noop";
  } else {
    workflow["stages"] = shown;
  }
  if (!workflow.contains("stages")) workflow["stages"]["shown"]["uses"] = "noop";
  return workflow;
}

// Adds what a part of a workflow refers to and does not show.
void Complete(json* workflow) {
  const std::string text = workflow->dump();
  const std::regex param("params\\.(\\w+)");
  for (std::sregex_iterator at(text.begin(), text.end(), param), end; at != end; ++at) {
    json& params = (*workflow)["params"];
    if (!params.contains((*at)[1].str())) params[(*at)[1].str()] = {{"type", "string"}, {"default", "a"}};
  }
  const bool needs_target = text.find("\"target\":\"gpu1\"") != text.npos;
  if (needs_target && ObjectIn(*workflow, "targets").empty()) {
    (*workflow)["targets"]["gpu1"] = {{"ssh", "gpu1"}, {"gpus", 8}};
  }
}

class YamlBlocksTest : public ::testing::Test {
 protected:
  YamlBlocksTest() {
    for (const char* file : {"inputs/color.mp4", "inputs/depth.mp4", "inputs/mask.mp4", "inputs/small.mp4",
                             "plates/sh010.mp4", "plates/sh020.mp4", "plates/sh030.mp4"}) {
      sandbox_.Write(file, "a file");
    }
  }
  std::vector<std::string> WordsFor(const json& workflow) const {
    std::vector<std::string> words = {"validate", "w.yaml"};
    for (const auto& [name, param] : ObjectIn(workflow, "params").items()) {
      if (!param.contains("default")) words.insert(words.end(), {"-p", name + "=inputs/color.mp4"});
    }
    return words;
  }
  // The name of a block that others use as a file, or "".
  static std::string FileOf(const Fence& fence) {
    constexpr std::string_view kFile = "file=";
    return fence.mark.starts_with(kFile) ? fence.mark.substr(kFile.size()) : "";
  }
  void ExpectTaken(const Fence& fence) const {
    if (fence.mark == "config") {
      sandbox_.Write("config/cosmos-engine/config.yaml", fence.text);
      sandbox_.Write("w.yaml", "version: 1\nstages: {a: {uses: noop}}\n");
      const Ended ended = sandbox_.Engine({"validate", "w.yaml"});
      sandbox_.Write("config/cosmos-engine/config.yaml", "");
      EXPECT_EQ(ended.status, 0) << fence.Place() << "\n" << ended.err;
      return;
    }
    EXPECT_TRUE(fence.mark.empty() || !FileOf(fence).empty())
        << fence.Place() << ": expected nothing, `config` or `file=NAME` behind `yaml`";
    const std::string text = std::regex_replace(fence.text, std::regex(kOwnPlugin), kPluginLikeIt);
    const YamlDocument document = YamlDocument::Parse(text, "block");
    ASSERT_THAT(document.findings().Sorted(), IsEmpty()) << fence.Place() << "\n" << fence.text;
    json workflow = WorkflowOf(document.value());
    Complete(&workflow);
    sandbox_.Write("w.yaml", workflow.dump(2));
    const Ended ended = sandbox_.Engine(WordsFor(workflow));
    EXPECT_EQ(ended.status, 0) << fence.Place() << "\n" << ended.err << workflow.dump(2);
  }

  Sandbox sandbox_;
};

TEST_F(YamlBlocksTest, AllAreTaken) {
  int blocks = 0;
  for (const std::string& page : Pages(Sandbox::source())) {
    const std::vector<Fence> fences = FencesOf(page, sandbox_.Read(Sandbox::source() / page));
    for (const Fence& fence : fences) {
      if (const std::string file = FileOf(fence); !file.empty()) sandbox_.Write(file, fence.text);
    }
    for (const Fence& fence : fences) {
      if (fence.language != "yaml" || HasOnlyComments(fence.text)) continue;
      ExpectTaken(fence);
      ++blocks;
    }
  }
  EXPECT_GT(blocks, 20);
}

TEST_F(YamlBlocksTest, AWrongOneIsFound) {
  json workflow = WorkflowOf({{"matrix", {{"a", json::array()}}}});
  sandbox_.Write("w.yaml", workflow.dump());
  EXPECT_EQ(sandbox_.Engine({"validate", "w.yaml"}).status, 2);
}

}  // namespace
}  // namespace cosmos::testing
