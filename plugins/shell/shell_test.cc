#include <gmock/gmock.h>

#include "testing/fake_host.h"

namespace {

using cosmos::sdk::testing::FakeHost;
using nlohmann::json;
using ::testing::HasSubstr;

class ShellTest : public ::testing::Test {
 protected:
  const cosmos_plugin_entry_t& plugin_ = cosmos::sdk::testing::LoadPlugin(PLUGIN_FILE);
  FakeHost host_;
};

TEST_F(ShellTest, RefusesSecretsInTheScript) {
  const json description = cosmos::sdk::testing::Describe(plugin_);
  EXPECT_EQ(description.at("id"), "shell");
  EXPECT_EQ(description.at("parameters").at("properties").at("run").at("x-no-secrets"), true);
  EXPECT_EQ(description.at("outputs_from"), "outputs");
}

TEST_F(ShellTest, RunsAScriptAndGivesItsOutputs) {
  const FakeHost::Result result = host_.Run(
      plugin_, {{"run", "x=made\necho $x > \"$COSMOS_OUTPUT_DIR/a b.txt\""}, {"outputs", {{"text", "a b.txt"}}}});
  EXPECT_EQ(result.status, COSMOS_OK);
  EXPECT_EQ(result.json, (json{{"text", (host_.output_folder() / "a b.txt").string()}}));
}

TEST_F(ShellTest, AScriptEndsAtTheFirstCommandThatFails) {
  const FakeHost::Result result = host_.Run(plugin_, {{"run", "echo one\nfalse\necho two"}});
  EXPECT_EQ(result.status, COSMOS_FAILED);
  EXPECT_EQ(result.json.at("kind"), "exit_code");
  EXPECT_EQ(host_.job_log(), "one\n");
}

TEST_F(ShellTest, StartsAnArgumentVectorWithoutAShell) {
  const FakeHost::Result result = host_.Run(plugin_, {{"argv", {"printf", "%s|", "$HOME", "a b", "'"}}});
  EXPECT_EQ(result.status, COSMOS_OK);
  EXPECT_EQ(host_.job_log(), "$HOME|a b|'|");
}

TEST_F(ShellTest, KnowsVideosByTheirNames) {
  const json outputs = {{"video", "a.mp4"},
                        {"picture", "a.png"},
                        {"declared", {{"path", "b.mov"}, {"kind", "file"}, {"optional", true}}}};
  const json spec = host_.Preview(plugin_, {{"run", "true"}, {"outputs", outputs}}).json;
  EXPECT_EQ(spec.at("outputs").at("video"), (json{{"path", "a.mp4"}, {"kind", "video"}, {"optional", false}}));
  EXPECT_EQ(spec.at("outputs").at("picture").at("kind"), "file");
  EXPECT_EQ(spec.at("outputs").at("declared"), (json{{"path", "b.mov"}, {"kind", "file"}, {"optional", true}}));
}

TEST_F(ShellTest, AMissingOutputFailsUnlessOptional) {
  const json missing = {{"path", "none"}, {"optional", true}};
  EXPECT_EQ(host_.Run(plugin_, {{"run", "true"}, {"outputs", {{"x", missing}}}}).status, COSMOS_OK);
  const FakeHost::Result result = host_.Run(plugin_, {{"run", "true"}, {"outputs", {{"x", "none"}}}});
  EXPECT_EQ(result.status, COSMOS_FAILED);
  EXPECT_EQ(result.json.at("kind"), "output_missing");
}

TEST_F(ShellTest, TakesOneOfRunAndArgv) {
  for (const json& parameters : {json::object(), json{{"run", "true"}, {"argv", {"true"}}}}) {
    const FakeHost::Result result = host_.Preview(plugin_, parameters);
    EXPECT_EQ(result.status, COSMOS_FAILED);
    EXPECT_THAT(result.text, HasSubstr("exactly one of"));
  }
}

}  // namespace
