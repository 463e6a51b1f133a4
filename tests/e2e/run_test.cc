#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <map>

#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RunTest : public ::testing::Test {
 protected:
  // Runs the stages and handlers of a workflow; `more` are further words for the command line.
  Ended Run(const std::string& yaml, const std::vector<std::string>& more = {}) {
    sandbox_.Write("w.yaml", "version: 1\nname: w\n" + yaml);
    std::vector<std::string> words = {"run", "w.yaml"};
    words.insert(words.end(), more.begin(), more.end());
    return sandbox_.Engine(words);
  }

  Sandbox sandbox_;
};

using Words = std::map<std::string, std::string>;

TEST_F(RunTest, AStageThatExits3FailsTheRunAndSaysSo) {
  const Ended ended = Run("stages:\n  bake: {uses: shell, with: {run: 'echo to the log; exit 3'}}\n");
  EXPECT_EQ(ended.status, 1);
  const json run = sandbox_.Show();
  EXPECT_EQ(run["status"], "failed");
  EXPECT_EQ(run["failure_kind"], "exit_code");
  EXPECT_THAT(run["error_message"].get<std::string>(), HasSubstr("bake"));
  EXPECT_THAT(run["error_message"].get<std::string>(), HasSubstr("3"));
  EXPECT_EQ(sandbox_.Read(run["log_path"].get<std::string>()), "to the log\n");
}

TEST_F(RunTest, ALongErrorIsCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 2500; ++i) text += "é€";
  EXPECT_EQ(Run("stages:\n  a: {uses: misbehave, with: {how: fail, text: '" + text + "'}}\n").status, 1);
  const std::string message = sandbox_.Show()["error_message"];
  const auto characters = std::count_if(message.begin(), message.end(), [](char c) { return (c & 0xC0) != 0x80; });
  EXPECT_LE(characters, 1000);
  EXPECT_GE(characters, 990);
  EXPECT_THAT(message, HasSubstr("é€é"));
  EXPECT_EQ(message.find("\xEF\xBF\xBD"), message.npos);
}

TEST_F(RunTest, AFailureStopsWhatNeedsItAndNothingElse) {
  EXPECT_EQ(Run(R"(
stages:
  bad: {uses: shell, with: {run: 'exit 1'}}
  after: {uses: noop, needs: [bad]}
  later: {uses: noop, needs: [after]}
  other: {uses: shell, with: {run: 'true'}}
)")
                .status,
            1);
  EXPECT_EQ(sandbox_.Statuses(),
            (Words{{"bad", "failed"}, {"after", "skipped"}, {"later", "skipped"}, {"other", "succeeded"}}));
}

TEST_F(RunTest, AFalseConditionSkipsAStageAndWhatNeedsItStillRuns) {
  EXPECT_EQ(Run(R"(
params: {polish: {type: boolean, default: false}}
stages:
  polish: {uses: noop, when: "${{ params.polish }}", with: {outputs: {text: polished}}}
  show:
    uses: shell
    needs: polish
    with: {run: "echo \"$WORD\""}
    env: {WORD: "${{ default(stages.polish.outputs.text, 'plain') }}"}
)")
                .status,
            0);
  EXPECT_EQ(sandbox_.Statuses(), (Words{{"polish", "skipped"}, {"show", "succeeded"}}));
  EXPECT_THAT(sandbox_.Engine({"logs", "last", "show"}).out, "plain\n");
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "-p", "polish=true"}).status, 0);
  EXPECT_THAT(sandbox_.Engine({"logs", "last", "show"}).out, "polished\n");
}

TEST_F(RunTest, AMatrixRunsEveryCombinationAndPairsInstances) {
  EXPECT_EQ(Run(R"(
stages:
  render:
    uses: shell
    matrix: {seed: [1, 2], look: [day, night]}
    with: {run: 'echo "$SEED $LOOK" >"$COSMOS_OUTPUT_DIR/f.txt"', outputs: {text: f.txt}}
    env: {SEED: "${{ matrix.seed }}", LOOK: "${{ matrix.look }}"}
  check:
    uses: shell
    needs: render
    matrix: {seed: [1, 2], look: [day, night]}
    with: {argv: [cat, "${{ stages.render.outputs.text }}"]}
  all:
    uses: shell
    needs: [check, render]
    with: {argv: [echo, "${{ join(stages.render.outputs.text, ' ') }}"]}
)")
                .status,
            0);
  EXPECT_EQ(sandbox_.Statuses().size(), 9u);
  EXPECT_EQ(sandbox_.Engine({"logs", "last", "check.2_night"}).out, "2 night\n");
  const std::string all = sandbox_.Engine({"logs", "last", "all"}).out;
  EXPECT_EQ(std::count(all.begin(), all.end(), ' '), 3);
}

TEST_F(RunTest, ARetryKeepsTheLogOfEveryAttempt) {
  EXPECT_EQ(Run(R"(
stages:
  flaky:
    uses: shell
    with: {run: 'echo "attempt $COSMOS_ATTEMPT"; test "$COSMOS_ATTEMPT" = 3'}
    retry: {attempts: 5, backoff: 10ms, on: [exit_code]}
)")
                .status,
            0);
  EXPECT_EQ(sandbox_.Statuses(), (Words{{"flaky", "failed"}, {"flaky#2", "failed"}, {"flaky#3", "succeeded"}}));
  const json run = sandbox_.Show();
  for (const json& stage : run["stages"]) {
    EXPECT_EQ(sandbox_.Read(stage["log_path"].get<std::string>()), "attempt " + stage["attempt"].dump() + "\n");
  }
}

TEST_F(RunTest, ATimeoutEndsTheWholeGroupAndAnInProcessStage) {
  EXPECT_EQ(Run(R"(
stages:
  job: {uses: shell, with: {run: 'sleep 1000 & sleep 1000'}, timeout: 300ms}
  inside: {uses: misbehave, with: {how: wait}, timeout: 300ms}
)")
                .status,
            1);
  const json run = sandbox_.Show();
  for (const json& stage : run["stages"]) EXPECT_EQ(stage["failure_kind"], "timeout") << stage;
  EXPECT_TRUE(sandbox_.JobProcesses().empty());
}

TEST_F(RunTest, HandlersRunAtTheEndAndChangeNothingAboutIt) {
  const std::string handlers = R"(
on_failure: [{name: sad, uses: shell, with: {run: 'echo "$WHY"'}, env: {WHY: "${{ run.status }}: ${{ run.error }}"}}]
on_success: [{name: glad, uses: shell, with: {run: 'echo glad'}}]
on_exit: [{name: bye, uses: shell, with: {run: 'exit 9'}}]
)";
  EXPECT_EQ(Run("stages: {a: {uses: shell, with: {run: 'exit 4'}}}\n" + handlers).status, 1);
  EXPECT_EQ(sandbox_.Statuses(), (Words{{"a", "failed"}, {"sad", "succeeded"}, {"bye", "failed"}}));
  EXPECT_THAT(sandbox_.Engine({"logs", "last", "sad"}).out, HasSubstr("failed: stage 'a' failed"));
  EXPECT_THAT(sandbox_.Show()["error_message"].get<std::string>(), HasSubstr("'a'"));
  EXPECT_EQ(Run("stages: {a: {uses: noop}}\n" + handlers).status, 0);
  EXPECT_EQ(sandbox_.Statuses(), (Words{{"a", "succeeded"}, {"glad", "succeeded"}, {"bye", "failed"}}));
  EXPECT_EQ(sandbox_.Show()["log_path"], nullptr);  // a handler's log is not the run's
  EXPECT_THAT(sandbox_.Engine({"run", "w.yaml", "--dry-run"}).out, HasSubstr("echo glad"));
}

TEST_F(RunTest, ContinueOnErrorLetsTheRunSucceed) {
  EXPECT_EQ(Run(R"(
stages:
  a: {uses: shell, with: {run: 'exit 4'}, continue_on_error: true}
  b: {uses: shell, needs: a, with: {run: 'echo "$S"'}, env: {S: "${{ stages.a.status }}"}}
)")
                .status,
            0);
  EXPECT_EQ(sandbox_.Engine({"logs", "last", "b"}).out, "failed\n");
}

TEST_F(RunTest, AMissingOutputAndABrokenVideoFailTheStage) {
  EXPECT_EQ(Run("stages: {a: {uses: shell, with: {run: 'true', outputs: {f: f.txt}}}}\n").status, 1);
  EXPECT_EQ(sandbox_.Show()["failure_kind"], "output_missing");
  EXPECT_EQ(
      Run("stages: {a: {uses: shell, with: {run: 'echo x >\"$COSMOS_OUTPUT_DIR/f.mp4\"', outputs: {f: f.mp4}}}}\n")
          .status,
      1);
  EXPECT_EQ(sandbox_.Show()["failure_kind"], "output_invalid");
}

TEST_F(RunTest, RetryTriesAgainWhatDidNotSucceed) {
  EXPECT_EQ(Run(R"(
stages:
  a: {uses: shell, with: {run: 'echo x >>count'}}
  b: {uses: shell, needs: a, with: {run: 'test -e fixed'}}
  c: {uses: noop, needs: b}
)")
                .status,
            1);
  sandbox_.Write("fixed", "");
  EXPECT_EQ(sandbox_.Engine({"retry", "last"}).status, 0);
  EXPECT_EQ(sandbox_.Read("count"), "x\n");
  EXPECT_EQ(sandbox_.Statuses(),
            (Words{{"a", "succeeded"}, {"b", "failed"}, {"b#2", "succeeded"}, {"c", "skipped"}, {"c#2", "succeeded"}}));
  EXPECT_EQ(sandbox_.Engine({"retry", "last"}).status, 2);
  EXPECT_EQ(sandbox_.Engine({"retry", "last", "--from", "a"}).status, 0);
  EXPECT_EQ(sandbox_.Read("count"), "x\nx\n");
}

TEST_F(RunTest, RetryOfAnEditedFileSaysHowItDiffersAndTakesItWhenAsked) {
  const std::string kept = "  a: {uses: shell, with: {run: 'echo x >>count'}}\n";
  EXPECT_EQ(Run("params: {word: {type: string, default: old}}\nstages:\n" + kept +
                "  b: {uses: shell, needs: a, with: {run: 'exit 3'}}\n"
                "  c: {uses: shell, with: {run: 'echo ${{ params.word }} >>words'}}\n"
                "on_exit: [{name: bye, uses: shell, with: {run: 'echo bye >>byes'}}]\n")
                .status,
            1);
  sandbox_.Write("w.yaml", "version: 1\nname: w\nparams: {word: {type: string, default: new}}\nstages:\n" + kept +
                               "  b: {uses: shell, needs: a, with: {run: 'true'}}\n"
                               "  c: {uses: shell, with: {run: 'echo ${{ params.word }} >>words'}}\n"
                               "  d: {uses: shell, needs: c, with: {run: 'echo d >>words'}}\n"
                               "on_exit: [{name: bye, uses: shell, with: {run: 'echo bye >>byes'}}]\n");
  const Ended old = sandbox_.Engine({"retry", "last"});
  EXPECT_EQ(old.status, 1);
  EXPECT_THAT(old.err, AllOf(HasSubstr("was edited since the run began (params.word.default is \"new\", was \"old\"; "
                                       "stages.b.with.run is \"true\", was \"exit 3\"; stages.d is new)"),
                             HasSubstr("--file '" + (sandbox_.folder() / "w.yaml").string() + "'` takes the new one")));
  EXPECT_EQ(sandbox_.Read("words"), "old\n");
  const Ended edited = sandbox_.Engine({"retry", "last", "--file", "w.yaml"});
  EXPECT_EQ(edited.status, 0) << edited.err;
  EXPECT_THAT(edited.out, HasSubstr("changed, so done again: b, c, d"));
  EXPECT_EQ(sandbox_.Read("count"), "x\n");
  EXPECT_EQ(sandbox_.Read("words"), "old\nnew\nd\n");
  EXPECT_EQ(sandbox_.Read("byes"), "bye\nbye\nbye\n");
  EXPECT_EQ(sandbox_.Engine({"retry", "last", "--file", "w.yaml"}).status, 0);  // of a run that has succeeded
  EXPECT_EQ(sandbox_.Read("words"), "old\nnew\nd\n");
  EXPECT_EQ(sandbox_.Engine({"retry", "last", "--file", "none.yaml"}).status, 2);
}

// What `retry` was to repeat is repeated also by the engine that goes on after a crash.
TEST_F(RunTest, ARetryThatWasKilledRepeatsAllTheSame) {
  sandbox_.Write("go", "");
  EXPECT_EQ(Run("stages:\n"
                "  a: {uses: shell, with: {run: 'echo a >>count; until test -e go; do sleep 0.05; done'}}\n"
                "  b: {uses: shell, needs: a, with: {run: 'echo b >>count'}}\n"
                "on_success: [{name: tell, uses: shell, with: {run: 'echo told >>count'}}]\n")
                .status,
            0);
  std::filesystem::remove(sandbox_.folder() / "go");
  const pid_t engine = sandbox_.StartEngine({"retry", "last", "--from", "a"});
  Await("the second attempt", [&] { return sandbox_.Read("count") == "a\nb\ntold\na\n"; });
  ::kill(engine, SIGKILL);
  EXPECT_EQ(sandbox_.Wait(engine), 128 + SIGKILL);
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Engine({"resume", "last"}).status, 0);
  EXPECT_EQ(sandbox_.Read("count"), "a\nb\ntold\na\nb\ntold\n");
}

TEST_F(RunTest, WhatSurvivedAFailureIsUsed) {
  const Ended ended = Run(
      "stages:\n"
      "  render:\n    uses: shell\n    matrix: {shot: [a, b, c]}\n    continue_on_error: true\n"
      "    with: {run: 'test ${{ matrix.shot }} != b && echo x >\"$COSMOS_OUTPUT_DIR/${{ matrix.shot }}\"', "
      "outputs: {f: '${{ matrix.shot }}'}}\n"
      "  sheet:\n    uses: shell\n    needs: render\n"
      "    with: {run: \"for f in ${{ join(present(stages.render.outputs.f), ' ') }}; do basename $f; done >sheet\"}\n"
      "  report:\n    uses: shell\n    needs: render\n    when: failed(stages.render)\n"
      "    with: {run: \"echo ${{ join(stages.render.status, ' ') }} ${{ stages.render.instances.b.status }} "
      ">report\"}\n");
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(sandbox_.Read("sheet"), "a\nc\n");
  EXPECT_EQ(sandbox_.Read("report"), "succeeded failed succeeded failed\n");
}

TEST_F(RunTest, AStageCanRunOnTheFailureOfWhatItNeeds) {
  const std::string rest =
      "  next: {uses: shell, needs: render, with: {run: 'echo next >>seen'}}\n"
      "  mourn: {uses: shell, needs: [render, next], when: failed(stages.render), with: {run: 'echo mourn >>seen'}}\n"
      "  after: {uses: shell, needs: mourn, with: {run: 'echo after >>seen'}}\n";
  EXPECT_EQ(Run("stages:\n  render: {uses: shell, with: {run: 'exit 1'}}\n" + rest).status, 1);
  EXPECT_EQ(sandbox_.Read("seen"), "mourn\nafter\n");
  EXPECT_EQ(sandbox_.Statuses(),
            (Words{{"render", "failed"}, {"next", "skipped"}, {"mourn", "succeeded"}, {"after", "succeeded"}}));
  sandbox_.Write("seen", "");
  EXPECT_EQ(Run("stages:\n  render: {uses: shell, with: {run: 'true'}}\n" + rest).status, 0);
  EXPECT_EQ(sandbox_.Read("seen"), "next\nafter\n");
}

TEST_F(RunTest, ASkippedStageShowsItsConditionAsItIsWritten) {
  EXPECT_EQ(Run("params: {mode: {type: string, default: draft}}\n"
                "stages:\n  a: {uses: noop, when: \"params.mode == 'final'\"}\n")
                .status,
            0);
  EXPECT_EQ(sandbox_.Show()["stages"][0]["error_message"], "its condition `params.mode == 'final'` is false");
}

TEST_F(RunTest, NoMoreInstancesThanAllowedAreAtWorkAtOnce) {
  const Ended ended =
      Run("stages:\n"
          "  a:\n    uses: shell\n"
          "    matrix: {n: [1, 2, 3, 4, 5, 6, 7], max_parallel: 2, name: 'take-${{ matrix.n }}'}\n"
          "    retry: {attempts: 2, backoff: 10ms}\n"
          "    with: {run: 'mkdir -p at; : >at/$$; ls at | wc -l >>many; sleep 0.2; rm at/$$; echo x >>tries; test "
          "$COSMOS_ATTEMPT "
          "-gt 1 -o ${{ matrix.n }} -gt 2'}\n",
          {"-j", "7"});
  EXPECT_EQ(ended.status, 0) << ended.err;
  const std::string many = sandbox_.Read("many");
  EXPECT_EQ(std::count(many.begin(), many.end(), '2') > 0, true) << many;
  EXPECT_EQ(many.find_first_not_of("12\n"), many.npos) << many;
  const std::string tries = sandbox_.Read("tries");
  EXPECT_EQ(std::count(tries.begin(), tries.end(), 'x'), 9);
  EXPECT_EQ(sandbox_.Statuses()["a.take-7"], "succeeded");
}

TEST_F(RunTest, HooksGetTheEventsAndAFailingOneChangesNothing) {
  const std::string stages = "stages: {a: {uses: shell, with: {run: 'true'}}}\n";
  EXPECT_EQ(Run("hooks: {recorder: {file: seen.txt}}\n" + stages).status, 0);
  const std::string seen = sandbox_.Read("seen.txt");
  EXPECT_THAT(seen, ::testing::StartsWith("start\nrun_started\n"));
  EXPECT_THAT(seen, HasSubstr("job_submitted\n"));
  EXPECT_THAT(seen, ::testing::EndsWith("run_finished\nstop\n"));
  EXPECT_EQ(Run("hooks: {recorder: {file: bad.txt, fail: true}}\n" + stages).status, 0);
  const std::string bad = sandbox_.Read("bad.txt");
  EXPECT_EQ(std::count(bad.begin(), bad.end(), '\n'), 5);  // start, three events, stop
  int failed = 0;
  for (const json& event : sandbox_.Journal(sandbox_.Show()["run_id"])) failed += event["type"] == "hook_failed";
  EXPECT_EQ(failed, 3);
}

TEST_F(RunTest, EveryStartHasOneEndInTheJournal) {
  Run("stages: {a: {uses: shell, with: {run: 'exit 1'}}, b: {uses: noop}, c: {uses: noop, needs: a}}\n");
  std::map<std::string, int> open;
  std::uint64_t last = 0;
  for (const json& event : sandbox_.Journal(sandbox_.Show()["run_id"])) {
    EXPECT_GT(event["seq"], last);
    last = event["seq"];
    const std::string type = event["type"];
    const std::string key = event.value("stage", "run");
    if (type == "stage_started" || type == "run_started") ++open[key];
    if (type == "stage_finished" || type == "stage_failed" || type == "run_finished") --open[key];
  }
  for (const auto& [key, count] : open) EXPECT_EQ(count, 0) << key;
}

}  // namespace
}  // namespace cosmos::testing
