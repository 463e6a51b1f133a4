#include "workflow/check.h"

#include <ctime>

#include "workflow/workflow_test_support.h"

namespace cosmos {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

// The example of DESIGN 5.
constexpr const char* kExample = R"yaml(version: 1
name: city-at-night
params:
  prompt: {type: string, default: "a rainy city at night, neon reflections"}
  seeds:  {type: array, default: [1, 2]}
targets:
  gpu1:
    ssh: {host: gpu.example.com, user: ubuntu, identity: ~/.ssh/id_ed25519}   # or `ssh: alias` from ~/.ssh/config
    workdir: /home/ubuntu/cosmos
    gpus: 2
    container: {image: "nvcr.io/me/cosmos-transfer1:latest", sudo: true, shm_size: 8g}
hooks:
  log-streamer: {poll_interval: 2s}
  gpu-monitor: {interval: 5s}
stages:
  enhance:
    uses: prompt-enhancement
    with: {prompt: "${{ params.prompt }}"}
  render:
    uses: inference
    needs: [enhance]
    target: gpu1
    matrix: {seed: "${{ params.seeds }}"}
    with:
      model: cosmos-transfer1
      prompt: ${{ stages.enhance.outputs.prompt }}
      seed: ${{ matrix.seed }}
      input_video: inputs/city/color.mp4
      controls: {depth: {weight: 0.4, video: inputs/city/depth.mp4}, edge: {weight: 0.3}}
    resources: {gpus: 1}
    retry: {attempts: 3, backoff: 30s, on: [connection_lost, cuda_oom]}
    timeout: 2h
  upscale:
    uses: upscaling
    needs: [render]
    with: {input: "${{ stages.render.outputs.video }}", weight: 0.5}
on_failure:
  - uses: diagnostics
)yaml";

TEST(CheckTest, PlansTheExampleOfTheDesign) {
  const Plan plan = PlanOf(kExample);
  EXPECT_EQ(plan.name, "city-at-night");
  EXPECT_EQ(plan.prompt_name, "city-at-night");
  ASSERT_EQ(plan.instances.size(), 4u);

  const StageInstance& enhance = plan.instances[0];
  EXPECT_EQ(enhance.key(), "enhance");
  EXPECT_EQ(enhance.prompt_name, "enhance");
  EXPECT_EQ(enhance.target, "local");
  EXPECT_EQ(enhance.where, "w.yaml:16:3");
  EXPECT_EQ(enhance.with, json({{"prompt", "a rainy city at night, neon reflections"}, {"style", "film"}}));

  const StageInstance& render = plan.instances[2];
  EXPECT_EQ(render.key(), "render.2");
  EXPECT_EQ(render.prompt_name, "city-at-night_2");
  EXPECT_EQ(render.target, "gpu1");
  EXPECT_EQ(render.matrix, json({{"seed", 2}}));
  EXPECT_EQ(render.with["seed"], 2);
  EXPECT_EQ(render.with["prompt"], "${{ stages.enhance.outputs.prompt }}");
  EXPECT_THAT(render.needs, ElementsAre(0));
  EXPECT_TRUE(render.sees.at("enhance").single);
  EXPECT_EQ(render.gpus, 1);
  EXPECT_EQ(render.retry.attempts, 3);
  EXPECT_EQ(render.retry.backoff, 30s);
  EXPECT_THAT(render.retry.on, ElementsAre(FailureKind::kConnectionLost, FailureKind::kCudaOom));
  EXPECT_EQ(render.timeout, Duration(2h));

  const StageInstance& upscale = plan.instances[3];
  EXPECT_THAT(upscale.needs, ElementsAre(1, 2));
  EXPECT_FALSE(upscale.sees.at("render").single);
  EXPECT_THAT(upscale.sees.at("render").instances, ElementsAre(1, 2));

  ASSERT_EQ(plan.on_failure.size(), 1u);
  EXPECT_EQ(plan.on_failure[0].stage, "diagnostics");
  ASSERT_EQ(plan.hooks.size(), 2u);
  EXPECT_EQ(plan.hooks[0].id, "log-streamer");
  EXPECT_EQ(plan.targets.at("gpu1")["ssh"]["host"], "gpu.example.com");
  EXPECT_TRUE(plan.targets.at("local").contains("local"));
}

TEST(CheckTest, PlansTheSameAgainFromItsParams) {
  CheckInput input = InputOf(kExample);
  input.params.overrides = {"prompt=\"quotes\" $(rm) \\ud83d \n${{ evil }} 🌃", "seeds=7,8"};
  const Plan plan = PlanOf(input);
  CheckInput again = InputOf(kExample);
  again.params.file = "params.json";
  again.params.text = plan.params.dump();
  const Plan same = PlanOf(again);
  EXPECT_EQ(same.params, plan.params);
  ASSERT_EQ(same.instances.size(), plan.instances.size());
  EXPECT_EQ(same.instances[0].with, plan.instances[0].with);
  EXPECT_EQ(same.instances[1].key(), "render.7");
}

TEST(CheckTest, FindsTenMistakesAtOnce) {
  EXPECT_THAT(
      FindingsOf(R"yaml(version: 1
name: ten mistakes
params:
  seed: {type: integer, default: many}
stages:
  enhance:
    uses: prompt-enhancment
  render:
    uses: inference
    nedds: [enhance]
    with:
      model: cosmos-transfer2
      prompt: ${{ params.promt }}
      seed: ${{ stages.enhance.outputs.prompt }}
      input_video: a.mp4
    timeout: 2 hours
    retry: {attempts: "3"}
  a:
    uses: noop
    needs: b
  b:
    uses: noop
    needs: [a, rendre]
    target: gpu1
)yaml"),
      ElementsAre("w.yaml:2:7: 'name': found the text 'ten mistakes'; use 1 to 128 of the characters A-Z a-z 0-9 . _ -",
                  "w.yaml:4:34: 'default' of param 'seed': expected an integer, found the text 'many'; write an "
                  "integer, such as 3",
                  "w.yaml:7:11: unknown stage plugin 'prompt-enhancment'; did you mean 'prompt-enhancement'?",
                  "w.yaml:10:5: unknown key 'nedds' in stage 'render'; did you mean 'needs'?",
                  "w.yaml:12:14: 'with.model' of stage 'render': found the text 'cosmos-transfer2', which is none "
                  "of the values known here; did you mean 'cosmos-transfer1'?",
                  "w.yaml:13:19: 'with' of stage 'render': the workflow has no param 'promt'; expected one of seed",
                  "w.yaml:16:14: 'timeout' of stage 'render': '2 hours' is not a duration; write a number with "
                  "ms, s, m, h or d, such as 30s, 2h or 1h30m",
                  "w.yaml:17:23: 'retry.attempts' of stage 'render': expected an integer, found the text '3'; "
                  "remove the quotes",
                  "w.yaml:20:12: stages need each other in a circle: a -> b -> a; remove one of these needs",
                  "w.yaml:23:16: stage 'b' needs 'rendre', which is no stage; did you mean 'render'?",
                  "w.yaml:24:13: 'target' of stage 'b': there is no target 'gpu1'; expected one of local"));
}

TEST(CheckTest, TellsOfTextsThatAreNoWorkflow) {
  EXPECT_THAT(FindingsOf(""),
              ElementsAre("w.yaml:1:1: the file is empty, expected a workflow; begin with `version: 1`"));
  EXPECT_THAT(FindingsOf("# nothing\n"),
              ElementsAre("w.yaml:1:1: the file is empty, expected a workflow; begin with `version: 1`"));
  EXPECT_THAT(
      FindingsOf("- a\n"),
      ElementsAre("w.yaml:1:1: the workflow: expected an object, found a list; write an object, such as {key: value}"));
  EXPECT_THAT(FindingsOf("version: 2\n"),
              ElementsAre("w.yaml:1:1: missing key 'stages' in the workflow; add it: The nodes of the graph, by name.",
                          "w.yaml:1:10: 'version': expected 1, found the integer 2; write `version: 1`"));
}

TEST(CheckTest, ChecksReferencesToStages) {
  EXPECT_THAT(
      FindingsOf(R"yaml(version: 1
stages:
  a: {uses: shell, with: {run: x, outputs: {video: a.mp4}}}
  b: {uses: noop, needs: a}
  c:
    uses: shell
    needs: b
    env:
      FINE: ${{ stages.a.outputs.video }}
      TYPO: ${{ stages.a.outputs.vidoe }}
      SELF: ${{ stages.c.status }}
      NONE: ${{ stages.z.status }}
      LATE: ${{ stages.d.status }}
    with: {run: x}
  d: {uses: noop, target: "${{ stages.a.status }}"}
)yaml"),
      ElementsAre("w.yaml:10:17: 'env' of stage 'c': stage 'a' has no output 'vidoe'; did you mean 'video'?",
                  "w.yaml:11:17: 'env' of stage 'c': a stage cannot refer to itself; remove the reference",
                  "w.yaml:12:17: 'env' of stage 'c': the workflow has no stage 'z'; did you mean 'a'?",
                  "w.yaml:13:17: 'env' of stage 'c': stage 'c' does not need 'd', so it may run before it; add 'd' "
                  "to its needs",
                  "w.yaml:15:32: 'target' of stage 'd': 'stages.a.status' is known only while the run is there, "
                  "which is too late here; use params, matrix or env here"));
}

TEST(CheckTest, TellsWhyAPluginCannotBeUsed) {
  FakePlugins plugins;
  plugins.SetProblem("broken", "it was built for SDK 2; build it again");
  const CheckResult result =
      Check(InputOf("version: 1\nstages:\n  a: {uses: broken}\n  b: {uses: gpu-monitor}\n"), plugins);
  EXPECT_THAT(TextsOf(result.findings),
              ElementsAre("w.yaml:3:13: the plugin 'broken' cannot be used: it was built for SDK 2; build it again",
                          "w.yaml:4:13: 'gpu-monitor' is a hook plugin, expected a stage plugin; expected one of "
                          "diagnostics, inference, noop, prompt-enhancement, shell, upscaling"));
}

TEST(CheckTest, RefusesSecretsInTextsThatAreWrittenIntoFiles) {
  EXPECT_THAT(
      FindingsOf(R"yaml(version: 1
secrets: {TOKEN: {env: HF_TOKEN}, BOTH: {env: A, file: b}}
stages:
  a:
    uses: shell
    env: {TOKEN: "${{ secrets.TOKEN }}"}
    with:
      run: |
        curl -H "${{ secrets.TOKEN }}" x
  b: {uses: shell, with: {run: "${{ secrets.TOKN }}"}}
)yaml"),
      ElementsAre(
          "w.yaml:2:35: secret 'BOTH': found 'env' and 'file', expected one; remove all but one of them",
          "w.yaml:8:12: 'with.run' of stage 'a': the secret 'TOKEN' would stand in a file or on a command line, "
          "where others can read it; pass it through env: `env: {TOKEN: ${{ secrets.TOKEN }}}`",
          "w.yaml:10:32: 'with.run' of stage 'b': the secret 'TOKN' would stand in a file or on a command line, "
          "where others can read it; pass it through env: `env: {TOKN: ${{ secrets.TOKN }}}`",
          "w.yaml:10:37: 'with' of stage 'b': the workflow has no secret 'TOKN'; did you mean 'TOKEN'?"));
}

TEST(CheckTest, RefusesVariablesThatAreNotDeclaredOrSoundSecret) {
  EXPECT_THAT(FindingsOf(R"yaml(version: 1
uses_env: [RENDER_HOST, HF_TOKEN]
targets:
  gpu1: {ssh: {host: "${{ default(env.RENDER_HOST, 'gpu') }}"}, workdir: "/x/${{ default(env.DATABASE_URL, 'w') }}"}
stages:
  a: {uses: shell, env: {HERE: "${{ default(env.HOME, '') }}", T: "${{ default(env.HF_TOKEN, '') }}"}, with: {run: 'true'}}
)yaml"),
              ElementsAre(HasSubstr("w.yaml:4:"), HasSubstr("w.yaml:6:")));
  const auto findings = FindingsOf(R"yaml(version: 1
stages:
  a: {uses: shell, when: "env.AWS_SECRET_ACCESS_KEY == ''", with: {run: "echo ${{ env.NOT_DECLARED }}"}}
)yaml");
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_THAT(findings, ::testing::Contains(HasSubstr("has the name of a secret, which must not stand in a workflow")));
  EXPECT_THAT(findings, ::testing::Contains(HasSubstr("add it to `uses_env: [NOT_DECLARED]` at the top")));
}

TEST(CheckTest, RefusesAnythingButASecretWhereASecretBelongs) {
  const std::string head = R"(version: 1
name: w
params: {key: {type: string, default: sk-from-params}}
secrets: {KEY: {env: API_KEY}}
stages:
  a: {uses: prompt-enhancement, with: {prompt: x, api_key: )";
  EXPECT_THAT(FindingsOf(head + "\"${{ secrets.KEY }}\"}}\n"), IsEmpty());
  const std::string refused =
      "w.yaml:6:60: 'with.api_key' of stage 'a': found a text, expected a secret and nothing else; write "
      "`${{ secrets.NAME }}`, and where NAME is read from below `secrets:`";
  for (const char* value : {"sk-literal", "\"\"", "\"${{ params.key }}\"", "\"${{ env.HOME }}\"",
                            "\"sk-${{ secrets.KEY }}\"", "\"${{ secrets.KEY || 'sk-literal' }}\""}) {
    EXPECT_THAT(FindingsOf(head + value + "}}\n"), ElementsAre(refused)) << value;
  }
}

TEST(CheckTest, FindsMissingInputFiles) {
  CheckInput input = InputOf(R"yaml(version: 1
params: {clip: {type: path, default: no/such.mp4}}
stages:
  a: {uses: upscaling, with: {input: "${{ params.clip }}"}}
  b: {uses: upscaling, prompt_name: b, with: {input: [/dev/null/x, "${{ stages.a.outputs.video }}", /]}, needs: a}
  c: {uses: inference, with: {model: playblast, prompt: x, input_video: /proc/self/exe, controls: {depth: {video: y.mp4}}}}
)yaml");
  input.input_files = true;
  const std::string here = std::filesystem::current_path().string();
  EXPECT_THAT(
      FindingsOf(input),
      ElementsAre("w.yaml:4:38: 'with.input' of stage 'a': there is no file 'no/such.mp4'; check the path; relative "
                  "ones start at "
                  "the current folder, " +
                      here,
                  "w.yaml:5:55: 'with.input[0]' of stage 'b': there is no file '/dev/null/x'; check the path",
                  "w.yaml:5:101: 'with.input[2]' of stage 'b': '/' is no file; check the path",
                  "w.yaml:6:115: 'with.controls.depth.video' of stage 'c': there is no file 'y.mp4'; check the path; "
                  "relative ones "
                  "start at the current folder, " +
                      here));
}

TEST(CheckTest, RefusesTwoStagesThatWriteTheSameLog) {
  const std::string stage = "{uses: inference, with: {model: playblast, prompt: x, input_video: y}}\n";
  EXPECT_THAT(
      FindingsOf("version: 1\nname: city\nstages:\n  a: " + stage +
                 "  city: {uses: inference, prompt_name: city, with: "
                 "{model: playblast, prompt: x, input_video: y}}\n"),
      ElementsAre("w.yaml:5:3: 'city' and 'a' would write the same log, city/logs/run_{run_id}.log; give one of them a "
                  "`prompt_name:` of its own"));
  EXPECT_THAT(
      FindingsOf("version: 1\nstages:\n  a: " + stage +
                 "  b: {uses: inference, prompt_name: other, with: {model: playblast, prompt: x, input_video: y}}\n"),
      IsEmpty());
}

TEST(CheckTest, SeveralStagesOfAPluginHaveFoldersOfTheirOwn) {
  const std::string with = "with: {model: playblast, prompt: x, input_video: y}";
  const Plan plan =
      PlanOf("version: 1\nname: city\nstages:\n  a: {uses: inference, " + with + "}\n  b: {uses: inference, " + with +
             ", matrix: {n: [1, 2]}}\n  c: {uses: upscaling, needs: a, with: {input: x}}\n");
  ASSERT_EQ(plan.instances.size(), 4u);
  EXPECT_EQ(plan.instances[0].prompt_name, "city");
  EXPECT_EQ(plan.instances[1].prompt_name, "city_b_1");
  EXPECT_EQ(plan.instances[2].prompt_name, "city_b_2");
  EXPECT_EQ(plan.instances[3].prompt_name, "city");  // of another folder, city_upscaled
}

TEST(CheckTest, TakesTargetsAndHooksOfTheConfiguration) {
  CheckInput input = InputOf(R"yaml(version: 1
targets: {gpu1: {ssh: mine}}
hooks: {gpu-monitor: false}
stages:
  a: {uses: noop, target: gpu1}
  b: {uses: noop, target: gpu2}
  c: {uses: noop}
)yaml");
  input.config_file = "config.yaml";
  input.config_text = "targets: {gpu1: {ssh: theirs}, gpu2: {ssh: two}}\nhooks: {gpu-monitor: {}, log-streamer: }\n";
  input.default_target = "gpu2";
  const Plan plan = PlanOf(input);
  EXPECT_EQ(plan.targets.at("gpu1")["ssh"], "mine");
  EXPECT_EQ(plan.targets.at("gpu2")["ssh"], "two");
  ASSERT_EQ(plan.hooks.size(), 1u);
  EXPECT_EQ(plan.hooks[0].id, "log-streamer");
  EXPECT_EQ(plan.hooks[0].with["poll_interval"], "2s");
  EXPECT_EQ(plan.hooks[0].where, "config.yaml:2:26");
  EXPECT_EQ(plan.instances[2].target, "gpu2");

  input.config_text = "target: {}\nhooks: {gpu-montor: , log-streamer: {poll_interval: soon}}\n";
  EXPECT_THAT(FindingsOf(input),
              ElementsAre("w.yaml:6:27: 'target' of stage 'b': there is no target 'gpu2'; did you mean 'gpu1'?",
                          "config.yaml:1:1: unknown key 'target' in the configuration; did you mean 'targets'?",
                          "config.yaml:2:9: unknown hook plugin 'gpu-montor'; did you mean 'gpu-monitor'?",
                          "config.yaml:2:53: 'poll_interval' of hook 'log-streamer': 'soon' is not a duration; write a "
                          "number with ms, s, m, h or d, such as 30s, 2h or 1h30m"));
}

TEST(CheckTargetsTest, TakesThoseOfTheConfigurationAndTheWorkflow) {
  CheckInput input;
  input.environment = TestEnvironment;
  EXPECT_EQ(CheckTargets(input).targets.at("local").config, json::parse(R"({"local": {}})"));
  input.config_file = "config.yaml";
  input.config_text =
      "targets:\n  gpu1: {ssh: theirs}\n  gpu2: {ssh: two, workdir: '${{ env.HOME }}/w'}\nhooks: {no-such-hook: }\n";
  EXPECT_EQ(CheckTargets(input).targets.at("gpu1").where, "config.yaml:2:3");
  input.file = "w.yaml";
  input.text =
      "version: 1\nparams: {host: {type: string}, prompt: {type: string}}\n"
      "targets: {gpu1: {ssh: '${{ params.host }}'}}\nstages: {a: {uses: no-such-plugin}}\n";
  input.params.overrides = {"host=mine"};
  const DefinedTargets defined = CheckTargets(input);
  EXPECT_THAT(TextsOf(defined.findings), IsEmpty());  // nobody needs the prompt
  EXPECT_EQ(defined.targets.size(), 3u);
  EXPECT_EQ(defined.targets.at("gpu1").config["ssh"], "mine");
  EXPECT_EQ(defined.targets.at("gpu1").where, "w.yaml:3:11");
  EXPECT_EQ(defined.targets.at("gpu2").config["workdir"], "/home/me/w");
  EXPECT_EQ(defined.targets.at("local").where, "");
}

TEST(CheckTargetsTest, TellsEverythingThatIsInTheWay) {
  CheckInput input = InputOf(
      "version: 1\nparams: {host: {type: string}}\n"
      "targets:\n  gpu1: {ssh: '${{ params.host }}'}\nstages: {a: {uses: noop}}\n");
  DefinedTargets defined = CheckTargets(input);
  const char* kNoValue = "w.yaml:2:10: param 'host' has no value; give it with -p host=VALUE, or write a default";
  EXPECT_THAT(
      TextsOf(defined.findings),
      ElementsAre(kNoValue,
                  "w.yaml:4:9: target 'gpu1': there is no 'params.host'; default(params.host, …) would give a value "
                  "instead"));
  EXPECT_TRUE(defined.targets.empty());
  input.params.overrides = {"hots=x"};
  const char* kUnknown = "-p hots=x: the workflow has no param 'hots'; did you mean 'host'?";
  EXPECT_THAT(TextsOf(CheckTargets(input).findings), ElementsAre(kNoValue, kUnknown));
  input.config_file = "config.yaml";
  input.config_text = "targets: {gpu2: {shh: two}, gpu3: {ssh: '${{ params.hots }}'}}\n";
  EXPECT_THAT(
      TextsOf(CheckTargets(input).findings),
      ElementsAre(kNoValue, "config.yaml:1:11: target 'gpu2': expected one of the keys ssh, local; add one of them",
                  "config.yaml:1:18: unknown key 'shh' in target 'gpu2'; did you mean 'ssh'?",
                  "config.yaml:1:46: target 'gpu3': the workflow has no param 'hots'; did you mean 'host'?", kUnknown));
  input.config_text = "{}";
  input.text = "";
  EXPECT_THAT(TextsOf(CheckTargets(input).findings),
              ElementsAre("w.yaml:1:1: the file is empty, expected a workflow; begin with `version: 1`"));
}

TEST(CheckTest, TakesAConfigurationWithNothingInIt) {
  CheckInput input = InputOf("version: 1\nstages: {a: {uses: noop}}\n");
  input.config_file = "config.yaml";
  for (const char* text : {"", "# targets:\n"}) {
    input.config_text = text;
    EXPECT_THAT(TextsOf(CheckTargets(input).findings), IsEmpty());
    EXPECT_THAT(FindingsOf(input), IsEmpty());
  }
}

TEST(CheckTest, TellsOfAnUnknownDefaultTarget) {
  CheckInput input = InputOf("version: 1\nstages: {a: {uses: noop}}\n");
  input.default_target = "gpu9";
  EXPECT_THAT(FindingsOf(input), ElementsAre("--target gpu9: there is no target 'gpu9'; expected one of local"));
}

TEST(CheckTest, NamesHandlersApart) {
  const Plan plan = PlanOf(R"yaml(version: 1
stages: {diagnostics: {uses: noop}}
on_failure: [{uses: diagnostics}, {name: mine, uses: noop, when: "run.error != ''"}]
on_exit: [{uses: diagnostics, env: {S: "${{ stages.diagnostics.status }}"}}]
)yaml");
  EXPECT_EQ(plan.on_failure[0].stage, "diagnostics-2");
  EXPECT_EQ(plan.on_failure[1].stage, "mine");
  EXPECT_EQ(plan.on_failure[1].when, "run.error != \"\"");
  EXPECT_EQ(plan.on_exit[0].stage, "diagnostics-3");
  EXPECT_TRUE(plan.on_exit[0].sees.at("diagnostics").single);
  EXPECT_THAT(FindingsOf("version: 1\nstages: {a: {uses: noop}}\non_exit: [{name: a, uses: noop}]\n"),
              ElementsAre("w.yaml:3:18: on_exit[0]: the name 'a' is taken by another stage; give it another name"));
}

// Processor time, as other programs are at work too: four times the stages take about four times of it.
TEST(CheckTest, PlansManyStagesInLinearTime) {
  const auto seconds_for = [](int stages) {
    std::string text = "version: 1\nparams: {n: {type: integer, default: 1}}\nstages:\n";
    for (int i = 0; i < stages; ++i) {
      const std::string number = std::to_string(i);
      text += "  s" + number + ":\n    uses: shell\n    with: {run: \"echo ${{ params.n }} " + number + "\"}\n";
      if (i > 0) text += "    needs: s" + std::to_string(i - 1) + "\n    env: {A: \"${{ stages.s0.status }}\"}\n";
    }
    const std::clock_t begin = std::clock();
    const Plan plan = PlanOf(text);
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    EXPECT_EQ(plan.instances.size(), static_cast<std::size_t>(stages));
    EXPECT_EQ(plan.instances.back().with["run"], "echo 1 " + std::to_string(stages - 1));
    return seconds;
  };
  const double few = seconds_for(1000);
  EXPECT_LT(seconds_for(4000), 12 * few) << "quadratic?";
}

}  // namespace
}  // namespace cosmos
