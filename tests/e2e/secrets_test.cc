#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kSecret = "gold-token-4711";

// Every file that holds the secret.
std::vector<std::string> Leaks(const Sandbox& sandbox) {
  std::vector<std::string> leaks;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(sandbox.folder())) {
    if (!entry.is_regular_file()) continue;
    if (sandbox.Read(entry.path()).find(kSecret) != std::string::npos) leaks.push_back(entry.path());
  }
  return leaks;
}

TEST(Secrets, ReachTheJobAndStandNowhere) {
  Sandbox sandbox;
  sandbox.SetEnvironment(std::string("MY_TOKEN=") + kSecret);
  sandbox.Write("w.yaml", R"(
version: 1
name: w
secrets: {token: {env: MY_TOKEN}}
hooks: {recorder: {file: seen.txt}}
stages:
  job:
    uses: shell
    env: {TOKEN: "${{ secrets.token }}"}
    with: {run: 'test ${#TOKEN} = 15; echo "the token is $TOKEN"'}
  words: {uses: shell, with: {argv: [echo, "x ${{ secrets.token }} y"]}}
  inside: {uses: misbehave, with: {how: leak, text: "${{ secrets.token }}"}}
  reader: {uses: shell, needs: inside, with: {argv: [echo, "${{ stages.inside.outputs.text }}"]}}
  model: {uses: inference, with: {model: command, argv: [echo, "x ${{ secrets.token }} y"], outputs: {}}}
  fails: {uses: misbehave, with: {how: fail, text: "no access with ${{ secrets.token }}"}}
)");
  const Ended ended = sandbox.Engine({"run", "w.yaml", "--verbose"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.out + ended.err, ::testing::Not(HasSubstr(kSecret)));
  EXPECT_THAT(ended.out, HasSubstr("no access with ***"));
  const std::string run_id = sandbox.Show()["run_id"];
  EXPECT_EQ(sandbox.Read("outputs/job/logs/run_" + run_id + ".log"), "the token is ***\n");
  EXPECT_EQ(sandbox.Read("outputs/words/logs/run_" + run_id + ".log"), "x *** y\n");
  EXPECT_THAT(Leaks(sandbox), ::testing::IsEmpty());
}

TEST(Secrets, InAScriptAreRefusedBeforeAnythingRuns) {
  Sandbox sandbox;
  sandbox.SetEnvironment(std::string("MY_TOKEN=") + kSecret);
  sandbox.Write("w.yaml",
                "version: 1\nname: w\nsecrets: {token: {env: MY_TOKEN}}\nstages:\n"
                "  a: {uses: shell, with: {run: 'echo ${{ secrets.token }}'}}\n");
  const Ended ended = sandbox.Engine({"run", "w.yaml"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("w.yaml:5:"));
  EXPECT_THAT(ended.err, HasSubstr("env"));
}

TEST(Secrets, ThatAreNotThereAreNamed) {
  const Sandbox sandbox;
  sandbox.Write("w.yaml", "version: 1\nname: w\nsecrets: {token: {env: NO_SUCH_TOKEN}}\nstages:\n  a: {uses: noop}\n");
  const Ended ended = sandbox.Engine({"run", "w.yaml"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("NO_SUCH_TOKEN"));
}

}  // namespace
}  // namespace cosmos::testing
