#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "testing/fake_host.h"

namespace {

using cosmos::sdk::testing::FakeHost;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class PromptEnhancementTest : public ::testing::Test {
 protected:
  const cosmos_plugin_entry_t& plugin_ = cosmos::sdk::testing::LoadPlugin(PLUGIN_FILE);
  FakeHost host_;
};

TEST_F(PromptEnhancementTest, DescribesItself) {
  const json description = cosmos::sdk::testing::Describe(plugin_);
  EXPECT_EQ(description.at("id"), "prompt-enhancement");
  EXPECT_EQ(description.at("folder"), "prompt_enhancement");
  EXPECT_EQ(description.at("log"), "operation");
  EXPECT_THAT(description.at("requires"), ElementsAre("cosmos.files/1", "cosmos.store/1"));
}

TEST_F(PromptEnhancementTest, KeepsBothPromptsAsRecords) {
  const FakeHost::Result result = host_.Run(plugin_, {{"prompt", "rain"}, {"negative_prompt", "blur"}});
  ASSERT_EQ(result.status, COSMOS_OK) << result.text;
  const std::string enhanced = result.json.at("prompt");
  EXPECT_THAT(enhanced, StartsWith("rain. "));
  EXPECT_THAT(host_.prompts, ElementsAre(json{{"text", "rain"}, {"negative_prompt", "blur"}, {"parent", ""}},
                                         json{{"text", enhanced}, {"negative_prompt", "blur"}, {"parent", "ps_1"}}));
  EXPECT_EQ(result.json.at("original_prompt_id"), "ps_1");
  EXPECT_EQ(result.json.at("prompt_id"), "ps_2");
  EXPECT_EQ(result.json.at("negative_prompt"), "blur");
}

TEST_F(PromptEnhancementTest, WritesWhatItDidAndWhy) {
  const FakeHost::Result result = host_.Run(plugin_, {{"prompt", "rain, handheld"}});
  ASSERT_EQ(result.status, COSMOS_OK) << result.text;
  const std::string file = result.json.at("record");
  EXPECT_THAT(host_.artifacts, ElementsAre(file));
  const json record = json::parse(std::ifstream(file));
  EXPECT_EQ(record.at("backend"), "template");
  EXPECT_EQ(record.at("prompt"), result.json.at("prompt"));
  EXPECT_EQ(record.at("original_prompt"), "rain, handheld");
  EXPECT_EQ(record.at("added").at(0).at("aspect"), "light");
  EXPECT_FALSE(std::filesystem::exists(file + ".part"));
  EXPECT_THAT(host_.LogText(),
              HasSubstr("added for light: 'raindrops catching the light' (rule 'rain', the prompt says 'rain')"));
  EXPECT_THAT(host_.LogText(), HasSubstr("camera: nothing added, the prompt says 'handheld'"));
}

TEST_F(PromptEnhancementTest, TheSamePromptGivesTheSameResult) {
  const json parameters = {{"prompt", "a forest \"at\" night\n$(x) \xF0\x9F\x8C\xA7"}};
  const FakeHost::Result first = host_.Run(plugin_, parameters);
  EXPECT_EQ(first.json.at("prompt"), host_.Run(plugin_, parameters).json.at("prompt"));
  EXPECT_THAT(first.json.at("prompt").get<std::string>(), StartsWith(parameters.at("prompt").get<std::string>()));
}

TEST_F(PromptEnhancementTest, WithNothingToAddThereIsOneRecord) {
  const FakeHost::Result result =
      host_.Run(plugin_, {{"prompt", "rain"}, {"camera", "none"}, {"light", "none"}, {"style", "none"}});
  EXPECT_EQ(result.json.at("prompt"), "rain");
  EXPECT_EQ(result.json.at("prompt_id"), result.json.at("original_prompt_id"));
  EXPECT_EQ(host_.prompts.size(), 1u);
}

}  // namespace
