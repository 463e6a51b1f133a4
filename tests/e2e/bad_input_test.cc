#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// One mistake a line, as the number at its end says.
constexpr const char* kTenMistakes = R"(version: 1
name: ten
params:
  steps: {type: integer, default: many}      # 1
targets:
  gpu1: {ssh: {host: gpu, prot: 22}}         # 2
hooks:
  no-such-hook: {}                           # 3
stages:
  a:
    uses: shel                               # 4
  b:
    uses: shell
    nedds: [a]                               # 5
    with: {run: 'true'}
  c:
    uses: shell
    needs: [zzz]                             # 6
    with: {run: 'echo ${{ params.stps }}'}   # 7
  d:
    uses: upscaling
    target: gpu2                             # 8
    with: {input: no/such/file.mp4}          # 9
  e:
    uses: noop
    timeout: soon                            # 10
)";

TEST(BadInput, TenMistakesAreAllToldWithPlaceAndFixAndNothingIsExecuted) {
  const Sandbox sandbox;
  sandbox.Write("ten.yaml", kTenMistakes);
  for (const char* command : {"validate", "run"}) {
    const Ended ended = sandbox.Engine({command, "ten.yaml"});
    EXPECT_EQ(ended.status, 2);
    for (const char* place : {"ten.yaml:4:", "ten.yaml:6:", "ten.yaml:8:", "ten.yaml:11:", "ten.yaml:14:",
                              "ten.yaml:18:", "ten.yaml:19:", "ten.yaml:22:", "ten.yaml:23:", "ten.yaml:26:"}) {
      EXPECT_THAT(ended.err, HasSubstr(place));
    }
    for (const char* fix : {"'port'", "'shell'", "'needs'", "'steps'", "30s"}) EXPECT_THAT(ended.err, HasSubstr(fix));
  }
  const Ended as_json = sandbox.Engine({"validate", "ten.yaml", "--format", "json"});
  const json found = json::parse(as_json.out);
  EXPECT_EQ(found["ok"], false);
  EXPECT_EQ(found["findings"].size(), 10u) << as_json.out;
  for (const json& finding : found["findings"]) {
    EXPECT_EQ(finding["file"], "ten.yaml");
    EXPECT_GT(finding["line"], 0);
    EXPECT_GT(finding["column"], 0);
    EXPECT_NE(finding["hint"], "") << finding;
  }
  EXPECT_FALSE(std::filesystem::exists(sandbox.outputs()));
}

TEST(BadInput, ACycleIsShownAsItsPath) {
  const Sandbox sandbox;
  sandbox.Write("w.yaml",
                "version: 1\nname: w\nstages:\n  a: {uses: noop, needs: c}\n  b: {uses: noop, needs: a}\n"
                "  c: {uses: noop, needs: b}\n");
  const Ended ended = sandbox.Engine({"validate", "w.yaml"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("a -> c -> b -> a"));
}

TEST(BadInput, TwoStagesThatWouldWriteTheSameLogAreRefused) {
  const Sandbox sandbox;
  sandbox.Write("w.yaml",
                "version: 1\nname: w\nstages:\n  a: {uses: shell, with: {run: 'true'}, prompt_name: x}\n"
                "  b: {uses: shell, with: {run: 'true'}, prompt_name: x}\n");
  const Ended ended = sandbox.Engine({"validate", "w.yaml"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("prompt_name"));
}

TEST(BadInput, FilesThatAreNoWorkflows) {
  const Sandbox sandbox;
  sandbox.Write("empty.yaml", "");
  sandbox.Write("broken.yaml", "stages: [unclosed\n");
  sandbox.Write("binary.yaml", std::string("\x7f"
                                           "ELF\0\xff\xfe",
                                           7));
  sandbox.Write("list.yaml", "- a\n- b\n");
  for (const char* file : {"empty.yaml", "broken.yaml", "binary.yaml", "list.yaml", "missing.yaml"}) {
    const Ended ended = sandbox.Engine({"validate", file});
    EXPECT_EQ(ended.status, 2) << file;
    EXPECT_THAT(ended.err, HasSubstr(file));
  }
}

TEST(BadInput, ParamsOfTheWrongTypeAndUnknownOnes) {
  const Sandbox sandbox;
  sandbox.Write("w.yaml", "version: 1\nname: w\nparams: {n: {type: integer}}\nstages: {a: {uses: noop}}\n");
  EXPECT_THAT(sandbox.Engine({"run", "w.yaml"}).err, HasSubstr("'n'"));
  EXPECT_THAT(sandbox.Engine({"run", "w.yaml", "-p", "n=x"}).err, HasSubstr("integer"));
  const Ended unknown = sandbox.Engine({"run", "w.yaml", "-p", "n=1", "-p", "m=2"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("'m'"));
  EXPECT_EQ(sandbox.Engine({"run", "w.yaml", "-p", "n=1"}).status, 0);
}

TEST(BadInput, AHostThatCannotBeReachedIsToldBeforeAnythingRuns) {
  const Sandbox sandbox;
  // Port 1 of this machine: nothing listens there.
  sandbox.Write("w.yaml",
                "version: 1\nname: w\ntargets: {gpu1: {ssh: {host: 127.0.0.1, port: 1}}}\nstages:\n  a: {uses: shell, "
                "with: {run: 'echo "
                "x >f'}}\n  b: {uses: noop, target: gpu1}\n");
  const Ended ended = sandbox.Engine({"run", "w.yaml"});
  EXPECT_EQ(ended.status, 3);
  EXPECT_THAT(ended.err, HasSubstr("target 'gpu1': cannot connect to 127.0.0.1:1"));
  EXPECT_THAT(ended.err, HasSubstr("`ssh -p 1 127.0.0.1` works"));
  EXPECT_FALSE(std::filesystem::exists(sandbox.folder() / "f"));
  EXPECT_TRUE(sandbox.EngineJson({"runs"})["runs"].empty());
}

TEST(BadInput, CommandLinesThatAreWrong) {
  const Sandbox sandbox;
  EXPECT_THAT(sandbox.Engine({"rnu"}).err, HasSubstr("'run'"));
  EXPECT_THAT(sandbox.Engine({"run", "--dryrun", "x"}).err, HasSubstr("'--dry-run'"));
  EXPECT_THAT(sandbox.Engine({"run"}).err, HasSubstr("WORKFLOW is missing"));
  EXPECT_THAT(sandbox.Engine({"show", "a", "b"}).err, HasSubstr("'b'"));
  EXPECT_THAT(sandbox.Engine({"runs", "--limit", "few"}).err, HasSubstr("'few'"));
  EXPECT_THAT(sandbox.Engine({"runs", "--format", "xml"}).err, HasSubstr("text or json"));
  EXPECT_THAT(sandbox.Engine({"runs", "--status", "faild"}).err, HasSubstr("'failed'"));
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{}, {"rnu"}, {"run"}, {"run", "--jobs", "0", "w.yaml"}, {"show", "nothing"}}) {
    EXPECT_EQ(sandbox.Engine(words).status, 2);
  }
}

}  // namespace
}  // namespace cosmos::testing
