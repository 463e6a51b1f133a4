#include <chrono>

#include "core/text.h"
#include "workflow/expression.h"
#include "workflow/known_scope.h"
#include "workflow/plugin_checks.h"
#include "workflow/stage_graph.h"
#include "workflow/workflow_test_support.h"

namespace cosmos {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using namespace std::chrono_literals;

std::vector<std::string> KeysOf(const Plan& plan) {
  std::vector<std::string> keys;
  for (const StageInstance& instance : plan.instances) keys.push_back(instance.key());
  return keys;
}

const StageInstance& InstanceOf(const Plan& plan, const std::string& key) {
  for (const StageInstance& instance : plan.instances) {
    if (instance.key() == key) return instance;
  }
  throw std::runtime_error("no instance " + key);
}

std::vector<std::string> NeedsOf(const Plan& plan, const std::string& key) {
  std::vector<std::string> needs;
  for (const size_t need : InstanceOf(plan, key).needs) needs.push_back(plan.instances[need].key());
  return needs;
}

TEST(PlanBuilderTest, OrdersStagesByNeedElseAsWritten) {
  EXPECT_THAT(KeysOf(PlanOf(R"yaml(version: 1
stages:
  z: {uses: noop, needs: [m]}
  b: {uses: noop}
  m: {uses: noop, needs: a}
  a: {uses: noop}
)yaml")),
              ElementsAre("b", "a", "m", "z"));
}

TEST(PlanBuilderTest, MatrixIsTheCrossProductInTheOrderAsWritten) {
  const Plan plan = PlanOf(R"yaml(version: 1
params: {sizes: {type: array, default: [8, "big one"]}}
stages:
  a:
    uses: shell
    matrix: {z: [1, 2], b: "${{ params.sizes }}"}
    with: {run: "${{ matrix.z }} ${{ matrix.b }}"}
)yaml");
  EXPECT_THAT(KeysOf(plan),
              ElementsAre("a.1_8", testing::StartsWith("a.1_big-one-"), "a.2_8", testing::StartsWith("a.2_big-one-")));
  EXPECT_EQ(plan.instances[1].with["run"], "1 big one");
  EXPECT_EQ(plan.instances[1].matrix, json({{"z", 1}, {"b", "big one"}}));
  EXPECT_EQ(plan.instances[0].prompt_name, "a_1_8");
}

TEST(PlanBuilderTest, InstancesOfOneStageNeverShareAName) {
  const Plan plan = PlanOf("version: 1\nstages: {a: {uses: noop, matrix: {x: [a_b, a], y: [c, b_c]}}}\n");
  const std::vector<std::string> keys = KeysOf(plan);
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 4u);
}

TEST(PlanBuilderTest, InstancesAreMatchedByTheKeysTheyShare) {
  const Plan plan = PlanOf(R"yaml(version: 1
stages:
  a: {uses: shell, matrix: {seed: [1, 2], size: [8, 9]}, with: {run: x, outputs: {f: x}}}
  b:
    uses: shell
    needs: a
    matrix: {seed: [2, 1]}
    env: {F: "${{ stages.a.outputs.f }}"}
    with: {run: x, outputs: {f: x}}
  c:
    uses: shell
    needs: [a, b]
    matrix: {size: [9], seed: [1, 2]}
    env: {F: "${{ stages.a.outputs.f }}", G: "${{ stages.b.outputs.f }}"}
    with: {run: x}
  d: {uses: noop, needs: c, env: {F: "${{ stages.a.status }}"}}
)yaml");
  EXPECT_THAT(NeedsOf(plan, "b.1"), ElementsAre("a.1_8", "a.1_9"));
  EXPECT_THAT(NeedsOf(plan, "c.9_2"), ElementsAre("a.2_9", "b.2"));
  EXPECT_THAT(NeedsOf(plan, "d"), ElementsAre("c.9_1", "c.9_2"));
  const auto seen = [&](const std::string& key, const std::string& stage) {
    return InstanceOf(plan, key).sees.at(stage);
  };
  EXPECT_FALSE(seen("b.1", "a").single);
  EXPECT_THAT(seen("b.1", "a").instances, ElementsAre(0, 1));
  EXPECT_TRUE(seen("c.9_2", "a").single);
  EXPECT_EQ(plan.instances[seen("c.9_2", "a").instances.at(0)].key(), "a.2_9");
  EXPECT_TRUE(seen("c.9_2", "b").single);
  EXPECT_THAT(seen("d", "a").instances, ElementsAre(0, 1, 2, 3));
}

TEST(PlanBuilderTest, AListOfOneIsStillAList) {
  const Plan plan = PlanOf(R"yaml(version: 1
stages:
  a: {uses: noop, matrix: {seed: [1]}}
  b: {uses: noop, needs: a, env: {S: "${{ stages.a.status }}"}}
)yaml");
  EXPECT_FALSE(InstanceOf(plan, "b").sees.at("a").single);
}

TEST(PlanBuilderTest, TellsOfMatricesThatCannotBe) {
  EXPECT_THAT(
      FindingsOf(R"yaml(version: 1
params: {none: {type: array, default: []}, text: {type: string, default: x}}
stages:
  a: {uses: noop, matrix: {k: []}}
  b: {uses: noop, matrix: {k: "${{ params.none }}"}}
  c: {uses: noop, matrix: {k: "${{ params.text }}"}}
  d: {uses: noop, matrix: {k: [1, 1]}}
  e: {uses: noop, matrix: {k: "${{ matrix.k }}"}}
)yaml"),
      ElementsAre("w.yaml:4:31: 'matrix.k' of stage 'a': the list is empty; add one",
                  "w.yaml:8:36: 'matrix.k' of stage 'e': there is no matrix here, so there is no 'matrix.k'; give the "
                  "stage a `matrix:`"));
  EXPECT_THAT(
      FindingsOf(R"yaml(version: 1
params: {none: {type: array, default: []}, text: {type: string, default: x}}
stages:
  b: {uses: noop, matrix: {k: "${{ params.none }}"}}
  c: {uses: noop, matrix: {k: "${{ params.text }}"}}
  d: {uses: noop, matrix: {k: [1, 1]}}
)yaml"),
      ElementsAre("w.yaml:4:31: 'matrix.k' of stage 'b': the list is empty, so the stage would have no instance; give "
                  "at least one value",
                  "w.yaml:5:31: 'matrix.k' of stage 'c': expected a list, found the text 'x'; write a list, such as "
                  "[1, 2]",
                  "w.yaml:6:31: 'matrix.k' of stage 'd': the integer 1 stands in the list twice; remove one of them"));
  EXPECT_THAT(
      FindingsOf("version: 1\nstages:\n  a: {uses: noop, matrix: {k: [1]}}\n"
                 "  b: {uses: noop, matrix: {k: [1, 2]}, needs: a}\n"),
      ElementsAre("w.yaml:4:47: instance 'b.2' needs stage 'a', which has no instance with k 2; give both stages the "
                  "same values under the keys that both have"));
}

TEST(PlanBuilderTest, ResolvesFieldsThatAreSettledBeforeTheRun) {
  const Plan plan = PlanOf(R"yaml(version: 1
prompt_name: "shot ${{ params.n }}"
params: {n: {type: integer, default: 2}, where: {type: string, default: gpu1}}
targets: {gpu1: {ssh: {host: "${{ env.HOME }}"}}}
env: {ALL: 1, MINE: no}
stages:
  a:
    uses: noop
    target: ${{ params.where }}
    timeout: ${{ params.n }}
    retry: {attempts: "${{ params.n }}", backoff: 1.5}
    resources: {gpus: "${{ params.n }}"}
    continue_on_error: ${{ params.n == 2 }}
    when: params.n > 1 && run.status == 'running'
    env: {MINE: "${{ params.n }} ${{ run.id }}"}
    container: {image: "x:${{ params.n }}"}
  b: {uses: noop, matrix: {k: [1, 2]}, prompt_name: "b-${{ matrix.k }}", when: "${{ false }}", timeout: 90}
)yaml");
  const StageInstance& a = plan.instances[0];
  EXPECT_EQ(a.target, "gpu1");
  EXPECT_EQ(a.timeout, Duration(2s));
  EXPECT_EQ(a.retry.attempts, 2);
  EXPECT_EQ(a.retry.backoff, 1500ms);
  EXPECT_EQ(a.gpus, 2);
  EXPECT_TRUE(a.continue_on_error);
  EXPECT_EQ(a.when, "true && (run.status == \"running\")");
  EXPECT_EQ(a.env, json({{"ALL", "1"}, {"MINE", "2 ${{ run.id }}"}}));
  EXPECT_EQ(a.container, json({{"image", "x:2"}}));
  EXPECT_EQ(plan.targets.at("gpu1")["ssh"]["host"], "/home/me");
  EXPECT_EQ(plan.instances[1].prompt_name, "b-1");
  EXPECT_EQ(plan.instances[1].when, "false");
  EXPECT_EQ(plan.instances[1].timeout, Duration(90s));
  EXPECT_THAT(plan.prompt_name, testing::StartsWith("shot-2-"));
}

TEST(PlanBuilderTest, ChecksResolvedValuesAgain) {
  EXPECT_THAT(
      FindingsOf(R"yaml(version: 1
params: {n: {type: integer, default: -1}, t: {type: string, default: later}}
stages:
  a:
    uses: inference
    with: {model: playblast, prompt: x, input_video: y, seed: "${{ params.n }}"}
  b: {uses: noop, resources: {gpus: "${{ params.n }}"}, timeout: "${{ params.t }}", target: "${{ params.t }}"}
  c: {uses: noop, env: {X: "${{ join(params.t) }}"}}
)yaml"),
      ElementsAre("w.yaml:6:63: 'with.seed' of stage 'a': expected at least 0, found -1; raise it",
                  "w.yaml:7:37: 'resources.gpus' of stage 'b': expected at least 0, found -1; raise it",
                  "w.yaml:7:66: 'timeout' of stage 'b': 'later' is not a duration; write a number with ms, s, m, h or "
                  "d, such as 30s, 2h or 1h30m",
                  "w.yaml:8:28: 'env.X' of stage 'c': join() got the text 'later', expected a list"));
}

TEST(PlanBuilderTest, StepsAgainstWantOfMemoryAreThoseOfTheModel) {
  const PluginFacts plain;
  EXPECT_TRUE(PluginChecks::OomStepsOf(plain, {}).empty());
  PluginFacts facts;
  facts.parameters =
      nlohmann::json::parse(R"json({"properties": {"model": {}}, "discriminator": {"propertyName": "model"},
    "x-oom-steps": ["more_gpus"], "oneOf": [
      {"properties": {"model": {"const": "a"}}, "x-oom-steps": ["offload", "more_gpus"]},
      {"properties": {"model": {"const": "b"}}}]})json");
  EXPECT_THAT(PluginChecks::OomStepsOf(facts, {{"model", "a"}}), ElementsAre("offload", "more_gpus"));
  EXPECT_THAT(PluginChecks::OomStepsOf(facts, {{"model", "b"}}), ElementsAre("more_gpus"));
  EXPECT_THAT(
      FindingsOf(R"yaml(version: 1
stages:
  a: {uses: noop, retry: {on_oom: [offload]}}
)yaml"),
      ElementsAre("w.yaml:3:35: 'retry.on_oom' of stage 'a': there is no step 'offload' here; remove on_oom; its "
                  "plugin cannot change what it needs of GPU memory"));
}

TEST(PlanBuilderTest, ChecksConditions) {
  EXPECT_THAT(
      FindingsOf(R"yaml(version: 1
stages:
  a: {uses: noop, when: "stages.b.status == "}
  b: {uses: noop, when: "${{ params.x }} == 1"}
  c: {uses: noop, when: "${{ params.x == 1 }}"}
)yaml"),
      ElementsAre("w.yaml:3:45: 'when' of stage 'a': the expression ends too early, expected a value",
                  "w.yaml:4:26: 'when' of stage 'b': a condition is one expression, but there is text beside its "
                  "${{ }}; put all of it into one ${{ }}, or leave ${{ }} away",
                  "w.yaml:5:30: 'when' of stage 'c': the workflow has no param 'x'"));
}

TEST(PlanBuilderTest, TextsOfParamsStayTexts) {
  CheckInput input = InputOf(R"yaml(version: 1
params: {p: {type: string}}
secrets: {t: {env: T}}
stages:
  a:
    uses: prompt-enhancement
    with: {prompt: "${{ params.p }}"}
    env: {E: "<${{ params.p }}>"}
    when: params.p != run.id
)yaml");
  const std::string evil = "$(rm -rf /) '${{ secrets.t }}' \"}}\" $${{ x";
  input.params.overrides = {"p=" + evil};
  const Plan plan = PlanOf(input);
  const json nothing = json::object();
  KnownValues values;
  values.environment = TestEnvironment;
  const KnownScope scope(&values, &nothing);
  EXPECT_EQ(Resolve(plan.instances[0].with, scope)["prompt"], evil);
  EXPECT_EQ(Resolve(plan.instances[0].env, scope)["E"], "<" + evil + ">");
}

TEST(PlanBuilderTest, ExpressionsSeeTheWorkflowsOwnEnvironment) {
  CheckInput input = InputOf(R"yaml(version: 1
params: {size: {type: integer, default: 7}}
secrets: {t: {env: T}}
env:
  ROOT: /data
  CACHE: ${{ env.ROOT }}/cache
  WHO: "${{ run.id }} {of} ${{ secrets.t }}"
  BOTH: ${{ env.WHO }} in ${{ env.CACHE }}
stages:
  a:
    uses: prompt-enhancement
    matrix: {size: ["${{ env.CACHE }}"]}
    with: {prompt: "${{ matrix.size }}, ${{ env.BOTH }}"}
    when: env.WHO != 'x'
)yaml");
  const StageInstance a = PlanOf(input).instances[0];
  EXPECT_EQ(a.matrix["size"], "/data/cache");
  const char* const kWho = R"(format("{0} {{of}} {1}", run.id, secrets.t))";
  EXPECT_EQ(a.with["prompt"], std::string("/data/cache, ${{ format(\"{0} in /data/cache\", ") + kWho + ") }}");
  EXPECT_EQ(a.env["CACHE"], "/data/cache");
  EXPECT_EQ(a.env["WHO"], std::string("${{ ") + kWho + " }}");
  EXPECT_EQ(a.when, std::string(kWho) + " != \"x\"");
}

TEST(PlanBuilderTest, AVariableOfItsOwnNameIsTheEnginesAndMustBeDeclared) {
  EXPECT_THAT(FindingsOf("version: 1\nenv: {API_KEY: '${{ env.API_KEY }}'}\nstages: {a: {uses: noop}}\n"),
              ElementsAre(testing::HasSubstr("has the name of a secret")));
  EXPECT_THAT(FindingsOf("version: 1\nenv: {A: '${{ env.B }}', B: b}\nstages: {a: {uses: noop}}\n"),
              ElementsAre(testing::HasSubstr("reads the environment variable 'B' and does not declare it")));
}

TEST(PlanBuilderTest, WhatOnlyTheRunKnowsIsTooLateForATarget) {
  EXPECT_THAT(FindingsOf("version: 1\nenv: {HOST: '${{ run.id }}'}\n"
                         "stages: {a: {uses: noop, target: '${{ env.HOST }}'}}\n"),
              ElementsAre(testing::HasSubstr("'env.HOST' is 'run.id', which is known only during the run")));
}

TEST(PlanBuilderTest, TellsTheFolderOfTheWorkflow) {
  CheckInput input = InputOf(
      "version: 1\nstages: {a: {uses: shell, with: {argv: ['${{ workflow.dir }}/x.py', '${{ workflow.dir }}']}}}\n");
  input.file = "/shots/sh010/../w.yaml";
  EXPECT_EQ(PlanOf(input).instances[0].with["argv"], json({"/shots/x.py", "/shots"}));
  EXPECT_THAT(FindingsOf("version: 1\nstages: {a: {uses: shell, with: {run: '${{ workflow.folder }}'}}}\n"),
              ElementsAre(testing::HasSubstr("the workflow has no 'folder'")));
}

TEST(PlanBuilderTest, RefusesPromptNamesThatAreFoldersOfTheEngine) {
  const auto findings = [](const std::string& of_workflow, const std::string& stage, const std::string& of_stage) {
    return Join(FindingsOf("version: 1\n" + of_workflow + "stages:\n  " + stage + ": {uses: shell, " + of_stage +
                           "with: {run: x}}\n"),
                "\n");
  };
  const auto reserved = testing::HasSubstr("a folder of the engine's own");
  EXPECT_THAT(findings("", "a", "prompt_name: .runs, "), reserved);
  EXPECT_THAT(findings("", "a", "prompt_name: prompt_enhancement, "), reserved);
  EXPECT_THAT(findings("", "prompt_enhancement", ""), reserved);
  EXPECT_THAT(findings("", "a", "prompt_name: ps_0123456789abcdef0123456789abcdef, "), reserved);
  EXPECT_THAT(findings("params: {n: {type: string, default: .runs}}\n", "a", "prompt_name: '${{ params.n }}', "),
              reserved);
  EXPECT_THAT(findings("", "a", "matrix: {n: [.runs]}, prompt_name: '${{ matrix.n }}', "), reserved);
  EXPECT_EQ(findings("", "a", "prompt_name: runs, "), "");
}

TEST(StageGraphTest, TellsEveryCycleOnce) {
  StageGraph graph(6);
  graph.AddNeed(0, 1);
  graph.AddNeed(1, 2);
  graph.AddNeed(2, 0);
  graph.AddNeed(3, 3);
  graph.AddNeed(4, 0);
  EXPECT_THAT(graph.Order(), ElementsAre(5));
  EXPECT_THAT(graph.Cycles(), ElementsAre(ElementsAre(0, 1, 2, 0), ElementsAre(3, 3)));
}

TEST(StageGraphTest, FollowsNeeds) {
  StageGraph graph(200);
  for (size_t i = 1; i < 200; ++i) graph.AddNeed(i, i - 1);
  EXPECT_TRUE(graph.Reaches(199, 0));
  EXPECT_TRUE(graph.Reaches(1, 0));
  EXPECT_FALSE(graph.Reaches(0, 1));
  EXPECT_FALSE(graph.Reaches(7, 7));
}

}  // namespace
}  // namespace cosmos
