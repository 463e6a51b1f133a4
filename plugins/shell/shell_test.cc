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

TEST_F(ShellTest, KnowsGroupsOfFilesByTheirPaths) {
  const json outputs = {{"folder", "frames/"},
                        {"files", "a.d/*.exr"},
                        {"hashes", "b.####.exr"},
                        {"percent", "b.%04d.exr"},
                        {"dollar", "b.$F4.exr"},
                        {"file", {{"path", "take#1.txt"}, {"kind", "file"}}},
                        {"plain", "100%.txt"},
                        {"declared", {{"path", "c.#.exr"}, {"frames", 5}, {"gaps", false}}},
                        {"loose", {{"path", "c.#.exr"}, {"gaps", true}}}};
  const json made = host_.Preview(plugin_, {{"run", "true"}, {"outputs", outputs}}).json.at("outputs");
  EXPECT_EQ(made.at("folder").at("kind"), "folder");
  EXPECT_EQ(made.at("files").at("kind"), "files");
  for (const char* name : {"hashes", "percent", "dollar", "declared", "loose"}) {
    EXPECT_EQ(made.at(name).at("kind"), "frames") << name;
  }
  EXPECT_EQ(made.at("file").at("kind"), "file");
  EXPECT_EQ(made.at("plain").at("kind"), "file");
  EXPECT_EQ(made.at("declared").at("frames"), "5");
  EXPECT_EQ(made.at("loose").at("gaps"), true);
}

TEST_F(ShellTest, InputsAreInTheEnvironment) {
  const json inputs = {{"my-plate", "a.#.exr"}, {"shot", {{"path", "s/"}, {"frames", ""}, {"gaps", true}}}};
  const json spec = host_.Preview(plugin_, {{"run", "true"}, {"inputs", inputs}}).json;
  EXPECT_EQ(spec.at("env"), (json{{"COSMOS_INPUT_MY_PLATE", "a.#.exr"}, {"COSMOS_INPUT_SHOT", "s/"}}));
  EXPECT_EQ(spec.at("inputs").at("shot"), (json{{"path", "s/"}, {"frames", ""}, {"gaps", true}}));
  const FakeHost::Result same = host_.Preview(plugin_, {{"run", "true"}, {"inputs", {{"a-b", "x"}, {"A_B", "y"}}}});
  EXPECT_EQ(same.status, COSMOS_FAILED);
  EXPECT_THAT(same.text, HasSubstr("COSMOS_INPUT_A_B"));
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
