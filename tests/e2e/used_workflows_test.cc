// A workflow as a stage of another one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "support/remote_host.h"
#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Words = std::map<std::string, std::string>;

class UsedWorkflowsTest : public ::testing::Test {
 protected:
  UsedWorkflowsTest() {
    sandbox_.Write("lib/shot.yaml", R"yaml(version: 1
params: {name: {type: string}, bad: {type: string, default: none}}
stages:
  make:
    uses: shell
    env: {NAME: "${{ params.name }}", BAD: "${{ params.bad }}"}
    with:
      run: |
        echo "$NAME" >>starts
        while [ -e wait ]; do sleep 0.05; done
        echo "of $NAME" >"$COSMOS_OUTPUT_DIR/o"
        [ "$NAME" != "$BAD" ]
      outputs: {o: o}
  twice:
    uses: shell
    needs: make
    env: {O: "${{ stages.make.outputs.o }}"}
    with: {run: 'cat "$O" "$O" >"$COSMOS_OUTPUT_DIR/t"', outputs: {t: t}}
outputs: {text: "${{ stages.twice.outputs.t }}"}
)yaml");
    sandbox_.Write("nightly.yaml", R"yaml(version: 1
params: {bad: {type: string, default: none}}
stages:
  facts: {uses: noop, with: {outputs: {bad: "${{ params.bad }}"}}}
  shot:
    uses: lib/shot.yaml
    needs: facts
    matrix: {shot: [sh010, sh020, sh030]}
    continue_on_error: true
    with: {name: "${{ matrix.shot }}", bad: "${{ stages.facts.outputs.bad }}"}
  sheet:
    uses: shell
    needs: shot
    env: {ALL: "${{ join(present(stages.shot.outputs.text), ' ') }}"}
    with: {run: 'cat $ALL >sheet'}
)yaml");
  }

  Sandbox sandbox_;
};

TEST_F(UsedWorkflowsTest, OneFailureOfManyLeavesTheOthersTheirSheet) {
  const Ended ended = sandbox_.Engine({"run", "nightly.yaml", "-p", "bad=sh020"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("though 1 stage failed"));
  EXPECT_EQ(sandbox_.Read("sheet"), "of sh010\nof sh010\nof sh030\nof sh030\n");
  Words statuses = sandbox_.Statuses();
  EXPECT_EQ(statuses["shot.sh010"], "succeeded");
  EXPECT_EQ(statuses["shot.sh020.make"], "failed");
  EXPECT_EQ(statuses["shot.sh020.twice"], "skipped");
  EXPECT_EQ(statuses["shot.sh020"], "skipped");
  EXPECT_EQ(statuses["shot.sh030.twice"], "succeeded");
  const std::string shown = sandbox_.Engine({"show", "last"}).out;
  const auto group = shown.find("\nshot.sh010 "), first = shown.find("\nshot.sh010.make "),
             second = shown.find("\nshot.sh010.twice "), next = shown.find("\nshot.sh020 ");
  EXPECT_LT(group, first) << shown;
  EXPECT_LT(first, second);
  EXPECT_LT(second, next);
}

TEST_F(UsedWorkflowsTest, AFailureThatNobodyToleratesFailsTheRun) {
  sandbox_.Write("w.yaml",
                 "version: 1\nstages:\n  shot: {uses: lib/shot.yaml, with: {name: a, bad: a}}\n"
                 "  end: {uses: noop, needs: shot}\n");
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml"}).status, 1);
  EXPECT_EQ(sandbox_.Statuses(),
            (Words{{"shot.make", "failed"}, {"shot.twice", "skipped"}, {"shot", "skipped"}, {"end", "skipped"}}));
  EXPECT_THAT(sandbox_.Show()["error_message"].get<std::string>(), HasSubstr("shot.make"));
}

TEST_F(UsedWorkflowsTest, ARunThatGoesOnKeepsTheTextsItBeganWith) {
  sandbox_.Write("wait", "");
  const pid_t engine = sandbox_.StartEngine({"run", "nightly.yaml", "--run-id", "rs_test", "--jobs", "3"});
  Await("all shots", [&] { return sandbox_.Read("starts").size() == 18; });
  sandbox_.Kill(engine);
  std::filesystem::remove(sandbox_.folder() / "lib/shot.yaml");
  std::filesystem::remove(sandbox_.folder() / "wait");
  const Ended ended = sandbox_.Engine({"resume", "rs_test"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(sandbox_.Read("starts").size(), 18u);  // nothing ran twice
  EXPECT_EQ(sandbox_.Read("sheet"), "of sh010\nof sh010\nof sh020\nof sh020\nof sh030\nof sh030\n");
}

TEST_F(UsedWorkflowsTest, RetryTakesAnEditedOneAndKeepsTheRest) {
  sandbox_.Write("w.yaml", "version: 1\nstages:\n  shot: {uses: lib/shot.yaml, with: {name: a, bad: a}}\n");
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml"}).status, 1);
  std::string text = sandbox_.Read("lib/shot.yaml");
  text.replace(text.find("[ \"$NAME\""), 19, "true");
  sandbox_.Write("lib/shot.yaml", text);
  const Ended old = sandbox_.Engine({"retry", "last"});
  EXPECT_EQ(old.status, 1);
  EXPECT_THAT(old.err,
              AllOf(HasSubstr("was edited since the run began"), HasSubstr("shot.yaml: stages.make.with.run is")));
  const Ended edited = sandbox_.Engine({"retry", "last", "--file", "w.yaml"});
  EXPECT_EQ(edited.status, 0) << edited.err;
  EXPECT_THAT(edited.out, HasSubstr("changed, so done again: shot.make"));
}

TEST_F(UsedWorkflowsTest, ItsStagesRunOnTheStagesTarget) {
  if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  RemoteHost host;
  sandbox_.Write("lib/there.yaml",
                 "version: 1\nparams: {name: {type: string}}\n"
                 "stages: {make: {uses: shell, env: {NAME: '${{ params.name }}'}, with: {run: 'echo $NAME >>starts; "
                 "echo of $NAME >$COSMOS_OUTPUT_DIR/o', outputs: {o: o}}}}\n");
  sandbox_.Write("w.yaml", host.Workflow("stages: {shot: {uses: lib/there.yaml, target: gpu1, with: {name: a}}}\n"));
  const Ended ended = sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_test"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(sandbox_.Read("outputs/shot_make/rs_test/o"), "of a\n");
  EXPECT_EQ(sandbox_.Read(host.workdir() / "starts"), "a\n");
}

TEST_F(UsedWorkflowsTest, ValidateTellsOfTheFileThatIsWrong) {
  sandbox_.Write("lib/shot.yaml", "version: 1\nstages: {make: {uses: shel}}\n");
  const Ended ended = sandbox_.Engine({"validate", "nightly.yaml"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("nightly.yaml:10:12: unknown key 'name' in 'with' of stage 'shot'"));
  sandbox_.Write("w.yaml", "version: 1\nstages: {s: {uses: lib/shot.yaml}}\n");
  EXPECT_THAT(sandbox_.Engine({"validate", "w.yaml"}).err,
              AllOf(HasSubstr("lib/shot.yaml:2:23: unknown stage plugin 'shel'"), HasSubstr("'shell'")));
}

}  // namespace
}  // namespace cosmos::testing
