#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class PluginsTest : public ::testing::Test {
 protected:
  PluginsTest() {
    fs::create_directories(folder());
    fs::permissions(folder(), fs::perms::owner_all);
  }
  fs::path folder() const { return sandbox_.folder() / "plugins"; }
  void Copy(const std::string& id) {
    fs::copy_file(fs::path(COSMOS_BAD_PLUGINS) / (id + ".so"), folder() / (id + ".so"));
  }
  // What `plugins list` says on stderr.
  std::string Complaint(int status = 2) {
    const Ended ended = sandbox_.Engine({"plugins", "list", "--plugin-path", folder()});
    EXPECT_EQ(ended.status, status) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("inference"));  // the good ones are there all the same
    return ended.err;
  }

  Sandbox sandbox_;
};

TEST_F(PluginsTest, OfAnotherMajorVersion) {
  Copy("bad-other-major");
  EXPECT_THAT(Complaint(), HasSubstr("built for version 2.4 of the SDK, and this program has 1.4"));
}

TEST_F(PluginsTest, WithoutTheSymbol) {
  Copy("bad-no-entry");
  EXPECT_THAT(Complaint(), HasSubstr("does not export the symbol cosmos_plugin_entry"));
}

TEST_F(PluginsTest, WithAnUndefinedSymbol) {
  Copy("bad-undefined-symbol");
  EXPECT_THAT(Complaint(), HasSubstr("nobody_defines_this"));
}

TEST_F(PluginsTest, ThatIsNoSharedObject) {
  sandbox_.Write("plugins/text.so", "hello");
  EXPECT_THAT(Complaint(), HasSubstr("no shared object"));
}

TEST_F(PluginsTest, WhoseDescriptionFailsOrRequiresWhatIsNotThere) {
  Copy("bad-describe-fails");
  Copy("bad-requires-nothing-known");
  const std::string complaint = Complaint();
  EXPECT_THAT(complaint, HasSubstr("no words"));
  EXPECT_THAT(complaint, HasSubstr("requires the service 'cosmos.job/9'"));
  EXPECT_THAT(complaint, HasSubstr("'cosmos.job/1'"));
}

TEST_F(PluginsTest, ThatOthersMayWrite) {
  fs::copy_file(fs::path(COSMOS_BAD_PLUGINS) / "bad-init-throws.so", folder() / "bad-init-throws.so");
  fs::permissions(folder() / "bad-init-throws.so", fs::perms::others_write, fs::perm_options::add);
  EXPECT_THAT(Complaint(), HasSubstr("chmod o-w"));
}

TEST_F(PluginsTest, WhoseInitThrowsFailsItsStageAndSaysWhy) {
  Copy("bad-init-throws");
  EXPECT_EQ(Complaint(0), "");  // a description needs no init
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: bad-init-throws}}\n");
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--plugin-path", folder()}).status, 1);
  const json run = sandbox_.Show();
  EXPECT_EQ(run["failure_kind"], "plugin_error");
  EXPECT_THAT(run["error_message"].get<std::string>(), HasSubstr("no licence"));
}

TEST_F(PluginsTest, ThatAWorkflowUsesAreToldOfWhenItIsChecked) {
  Copy("bad-other-major");
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: bad-other-major}}\n");
  const Ended ended = sandbox_.Engine({"validate", "w.yaml", "--plugin-path", folder()});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("w.yaml:3:"));
  EXPECT_THAT(ended.err, HasSubstr("version 2.4 of the SDK"));
}

TEST_F(PluginsTest, TheFirstFolderWinsAndTheHiddenOneIsToldOf) {
  fs::copy_file(fs::path(COSMOS_BAD_PLUGINS) / "bad-init-throws.so", folder() / "noop.so");
  const std::string complaint = Complaint();  // its id does not fit its name
  EXPECT_THAT(complaint, HasSubstr("hidden by " + (folder() / "noop.so").string()));
  EXPECT_THAT(complaint, HasSubstr("bad-init-throws.so"));
}

TEST_F(PluginsTest, AnExceptionInAStageIsAnErrorOfThePlugin) {
  sandbox_.Write("w.yaml", "version: 1\nname: w\nstages: {a: {uses: misbehave, with: {how: throw, text: why}}}\n");
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml"}).status, 1);
  EXPECT_EQ(sandbox_.Show()["failure_kind"], "plugin_error");
  EXPECT_THAT(sandbox_.Show()["error_message"].get<std::string>(), HasSubstr("thrown: why"));
}

TEST_F(PluginsTest, ShowTellsParametersAndOutputs) {
  const Ended ended = sandbox_.Engine({"plugins", "show", "inference"});
  EXPECT_EQ(ended.status, 0);
  for (const char* word : {"prompt", "seed", "controls", "video"}) EXPECT_THAT(ended.out, HasSubstr(word));
  const std::string branches = sandbox_.Engine({"plugins", "show", "prompt-enhancement"}).out;
  for (const char* line :
       {"\n  with backend openai\n", "\n    model ", "\n    base_url ", "\n  with backend template\n"}) {
    EXPECT_THAT(branches, HasSubstr(line));
  }
  EXPECT_THAT(sandbox_.Engine({"plugins", "show", "upscaling"}).out, HasSubstr("number, 0 to 1, default 0.5\n"));
  EXPECT_THAT(sandbox_.Engine({"plugins", "show", "inferense"}).err, HasSubstr("'inference'"));
  EXPECT_TRUE(sandbox_.EngineJson({"plugins", "show", "upscaling"})["parameters"].is_object());
}

}  // namespace
}  // namespace cosmos::testing
