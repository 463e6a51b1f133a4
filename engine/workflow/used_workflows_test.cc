#include "workflow/used_workflows.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "workflow/expression_tree.h"
#include "workflow/workflow_test_support.h"

namespace cosmos {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Two stages, the second after the first, of which the first can be left out.
constexpr const char* kShot = R"yaml(version: 1
name: shot
params:
  clip: {type: path}
  seed: {type: integer, default: 1}
  size: {type: integer, default: 480}
stages:
  render:
    uses: inference
    with: {model: playblast, prompt: "at ${{ params.size }}", input_video: "${{ params.clip }}", seed: "${{ params.seed }}"}
    when: params.seed != 0
  large:
    uses: upscaling
    needs: [render]
    with: {input: "${{ stages.render.outputs.video }}"}
outputs:
  video: ${{ stages.large.outputs.video }}
  name: ${{ params.clip }} at ${{ params.size }}
)yaml";

class UsedWorkflowsTest : public ::testing::Test {
 protected:
  CheckInput Input(const std::string& text) {
    CheckInput input = InputOf(text);
    input.file = "/shots/main.yaml";
    input.read_used = [this](const std::string& path) {
      ++reads_[path];
      const auto file = files_.find(path);
      if (file == files_.end())
        throw Error(ErrorCode::kInvalidInput, "there is no file '" + path + "'", "check the path");
      return file->second;
    };
    return input;
  }
  Plan PlanOf(const std::string& text) { return cosmos::PlanOf(Input(text)); }
  std::vector<std::string> FindingsOf(const std::string& text) { return cosmos::FindingsOf(Input(text)); }

  static const StageInstance& In(const Plan& plan, const std::string& key) {
    for (const StageInstance& instance : plan.instances) {
      if (instance.key() == key) return instance;
    }
    ADD_FAILURE() << "no instance " << key;
    return plan.instances.at(0);
  }

  static std::vector<std::string> NeedsOf(const Plan& plan, const std::string& key) {
    std::vector<std::string> keys;
    for (const std::size_t need : In(plan, key).needs) keys.push_back(plan.instances.at(need).key());
    return keys;
  }

  static std::vector<std::string> Keys(const Plan& plan) {
    std::vector<std::string> keys;
    for (const StageInstance& instance : plan.instances) keys.push_back(instance.key());
    return keys;
  }

  std::map<std::string, std::string> files_ = {{"/shots/shot.yaml", kShot}};
  std::map<std::string, int> reads_;
};

TEST_F(UsedWorkflowsTest, ItsStagesTakeTheStagesPlace) {
  const Plan plan = PlanOf(R"yaml(version: 1
stages:
  clips: {uses: shell, with: {run: x, outputs: {color: c.mp4}}}
  shot:
    uses: ./shot.yaml
    needs: [clips]
    with: {clip: "${{ stages.clips.outputs.color }}", seed: 7}
  sheet: {uses: shell, needs: [shot], with: {run: x}, env: {VIDEO: "${{ stages.shot.outputs.video }}"}}
)yaml");
  EXPECT_THAT(Keys(plan), ElementsAre("clips", "shot.render", "shot.large", "shot", "sheet"));
  EXPECT_THAT(NeedsOf(plan, "shot.render"), ElementsAre("clips"));
  EXPECT_THAT(NeedsOf(plan, "shot.large"), ElementsAre("shot.render"));
  EXPECT_THAT(NeedsOf(plan, "shot"), ElementsAre("shot.render", "shot.large"));
  EXPECT_THAT(NeedsOf(plan, "sheet"), ElementsAre("shot"));

  const StageInstance& render = In(plan, "shot.render");
  EXPECT_EQ(render.with["seed"], 7);
  EXPECT_EQ(render.with["prompt"], "at 480");
  EXPECT_EQ(render.with["input_video"], R"(${{ stages["0/clips"].outputs.color }})");
  EXPECT_EQ(plan.instances[render.sees.at("0/clips").instances.at(0)].key(), "clips");
  EXPECT_EQ(render.prompt_name, "shot");

  const StageInstance& end = In(plan, "shot");
  EXPECT_EQ(end.uses, "noop");
  EXPECT_TRUE(end.ends_workflow);
  EXPECT_EQ(end.with["outputs"]["video"], "${{ stages.large.outputs.video }}");
  EXPECT_EQ(end.with["outputs"]["name"], R"(${{ stages["0/clips"].outputs.color }} at 480)");
  EXPECT_EQ(plan.instances[end.sees.at("large").instances.at(0)].key(), "shot.large");
  EXPECT_EQ(plan.instances[In(plan, "sheet").sees.at("shot").instances.at(0)].key(), "shot");
  EXPECT_EQ(plan.used_workflows, files_);
}

TEST_F(UsedWorkflowsTest, AMatrixUsesItOnceForEachInstance) {
  const Plan plan = PlanOf(R"yaml(version: 1
stages:
  shot:
    uses: ./shot.yaml
    matrix: {shot: [sh010, sh020]}
    with: {clip: "${{ matrix.shot }}.mp4"}
    continue_on_error: true
  sheet: {uses: shell, needs: [shot], with: {run: x}, env: {VIDEOS: "${{ join(present(stages.shot.outputs.video)) }}"}}
)yaml");
  EXPECT_THAT(Keys(plan), ElementsAre("shot.sh010.render", "shot.sh010.large", "shot.sh020.render", "shot.sh020.large",
                                      "shot.sh010", "shot.sh020", "sheet"));
  EXPECT_THAT(NeedsOf(plan, "sheet"), ElementsAre("shot.sh010", "shot.sh020"));
  EXPECT_EQ(In(plan, "sheet").sees.at("shot").instances, (std::vector<std::size_t>{4, 5}));
  EXPECT_EQ(In(plan, "shot.sh020.render").with["input_video"], "sh020.mp4");
  EXPECT_TRUE(In(plan, "shot.sh020.render").is_tolerated());
  EXPECT_FALSE(In(plan, "shot.sh020.render").continue_on_error);
  EXPECT_EQ(In(plan, "shot.sh010.render").prompt_name, "shot_sh010");
  EXPECT_EQ(In(plan, "shot.sh020.render").prompt_name, "shot_sh020");
  EXPECT_EQ(reads_, (std::map<std::string, int>{{"/shots/shot.yaml", 1}}));
}

TEST_F(UsedWorkflowsTest, TheStagesConditionHoldsForAllOfIt) {
  const Plan plan = PlanOf(R"yaml(version: 1
stages:
  first: {uses: noop}
  shot: {uses: ./shot.yaml, needs: [first], when: failed(stages.first), with: {clip: a.mp4, seed: 3}}
)yaml");
  EXPECT_EQ(In(plan, "shot.render").when, R"((failed(stages["0/first"].status)) && (true))");
  EXPECT_EQ(In(plan, "shot.large").when, R"(failed(stages["0/first"].status))");
  EXPECT_EQ(In(plan, "shot").when, R"(failed(stages["0/first"].status))");
  ParseExpression(In(plan, "shot").when);  // as the run does
  EXPECT_TRUE(In(plan, "shot.render").after_failure);
  EXPECT_FALSE(In(plan, "shot.large").after_failure);
  EXPECT_FALSE(In(plan, "shot").after_failure);
}

TEST_F(UsedWorkflowsTest, AreUsedByEachOther) {
  files_["/shots/lib/inner.yaml"] = R"yaml(version: 1
params: {text: {type: string}, list: {type: array}}
stages: {say: {uses: shell, with: {run: x}, env: {TEXT: "${{ params.text }}", N: "${{ length(params.list) }}"}}}
outputs: {text: "${{ params.text }}!"}
)yaml";
  files_["/shots/outer.yaml"] = R"yaml(version: 1
params: {text: {type: string}}
stages:
  first: {uses: noop}
  inner:
    uses: lib/inner.yaml
    needs: [first]
    with: {text: "<${{ params.text }} ${{ stages.first.status }}>", list: "${{ json('[1]') }}"}
outputs: {text: "${{ stages.inner.outputs.text }}"}
)yaml";
  const Plan plan = PlanOf(R"yaml(version: 1
stages:
  first: {uses: shell, with: {run: x, outputs: {o: o}}}
  outer: {uses: outer.yaml, needs: first, with: {text: "${{ stages.first.outputs.o }}"}}
)yaml");
  EXPECT_THAT(Keys(plan), ElementsAre("first", "outer.first", "outer.inner.say", "outer.inner", "outer"));
  const StageInstance& say = In(plan, "outer.inner.say");
  EXPECT_EQ(say.env["TEXT"], R"(${{ format("<{0} {1}>", stages["0/first"].outputs.o, stages["1/first"].status) }})");
  EXPECT_EQ(say.env["N"], "1");
  EXPECT_EQ(plan.instances[say.sees.at("0/first").instances.at(0)].key(), "first");
  EXPECT_EQ(plan.instances[say.sees.at("1/first").instances.at(0)].key(), "outer.first");
  EXPECT_EQ(say.prompt_name, "outer_inner_say");
  EXPECT_THAT(NeedsOf(plan, "outer.inner.say"), ElementsAre("outer.first"));
  EXPECT_THAT(NeedsOf(plan, "outer.first"), ElementsAre("first"));
}

TEST_F(UsedWorkflowsTest, WhatIsWrongIsToldWhereItStands) {
  const auto use = [&](const std::string& rest) {
    return FindingsOf("version: 1\nstages:\n  shot: {uses: ./shot.yaml" + rest +
                      "}\n  end: {uses: noop, needs: [shot]}\n");
  };
  EXPECT_THAT(use(", with: {clip: a, sede: 1}"), ElementsAre(AllOf(HasSubstr("main.yaml:3:"), HasSubstr("'seed'"))));
  EXPECT_THAT(use(""), ElementsAre(HasSubstr("'clip'")));
  EXPECT_THAT(use(", with: {clip: a, seed: many}"), ElementsAre(HasSubstr("expected an integer")));
  EXPECT_THAT(use(", with: {clip: a}, retry: {attempts: 2}"),
              ElementsAre(HasSubstr("a stage that uses another workflow has no 'retry'")));
  EXPECT_THAT(use(", with: {clip: a}, matrix: {n: [1], max_parallel: 1}"),
              ElementsAre(HasSubstr("no 'matrix.max_parallel'")));
  EXPECT_THAT(FindingsOf("version: 1\nstages:\n  s: {uses: ./shot.yaml, with: {clip: a}}\n"
                         "  e: {uses: shell, needs: s, with: {run: 'echo ${{ stages.s.outputs.vide }}'}}\n"),
              ElementsAre(AllOf(HasSubstr("has no output 'vide'"), HasSubstr("'video'"))));
  EXPECT_THAT(FindingsOf("version: 1\nstages:\n  s: {uses: shto.yaml}\n"),
              ElementsAre(AllOf(HasSubstr("main.yaml:3:13"), HasSubstr("there is no file '/shots/shto.yaml'"))));
  files_["/shots/shot.yaml"] =
      "version: 1\nstages:\n  a: {uses: noop, neds: [b]}\noutputs: {x: '${{ stages.b.status }}'}\n";
  EXPECT_THAT(use(", matrix: {n: [1, 2]}"), ElementsAre(AllOf(HasSubstr("shot.yaml:3:19"), HasSubstr("'needs'")),
                                                        AllOf(HasSubstr("shot.yaml:4:"), HasSubstr("no stage 'b'"))));
  files_["/shots/shot.yaml"] = "version: 1\nstages: {a: [}\n";
  EXPECT_THAT(use(""), ElementsAre(HasSubstr("/shots/shot.yaml:2:")));
}

TEST_F(UsedWorkflowsTest, OnlyAValueThatIsKnownCanDecideTheShape) {
  files_["/shots/shot.yaml"] =
      "version: 1\nparams: {host: {type: string}, all: {type: array, default: []}}\n"
      "stages: {a: {uses: noop, target: '${{ params.host }}'}}\n";
  EXPECT_THAT(FindingsOf("version: 1\nstages:\n  f: {uses: shell, with: {run: x, outputs: {h: h}}}\n"
                         "  s: {uses: ./shot.yaml, needs: f, with: {host: '${{ stages.f.outputs.h }}'}}\n"),
              ElementsAre(AllOf(HasSubstr("'params.host' is"), HasSubstr("known only during the run"))));
  EXPECT_THAT(
      FindingsOf("version: 1\nstages:\n  f: {uses: shell, with: {run: x, outputs: {h: h}}}\n"
                 "  s: {uses: ./shot.yaml, needs: f, with: {host: local, all: ['${{ stages.f.outputs.h }}']}}\n"),
      ElementsAre(HasSubstr("parts of it are known only during the run")));
}

TEST_F(UsedWorkflowsTest, NoneUsesItself) {
  files_["/shots/a.yaml"] = "version: 1\nstages: {b: {uses: ./b.yaml}}\n";
  files_["/shots/b.yaml"] = "version: 1\nstages: {a: {uses: ../shots/a.yaml}}\n";
  EXPECT_THAT(FindingsOf("version: 1\nstages: {a: {uses: ./a.yaml}}\n"),
              ElementsAre(HasSubstr("it uses itself, by /shots/main.yaml -> /shots/a.yaml -> /shots/b.yaml")));
  EXPECT_THAT(FindingsOf("version: 1\nstages: {a: {uses: ./main.yaml}}\n"), ElementsAre(HasSubstr("uses itself")));
}

TEST_F(UsedWorkflowsTest, NeitherDepthNorBreadthIsEndless) {
  for (int i = 0; i < 30; ++i) {
    files_["/shots/" + std::to_string(i) + ".yaml"] =
        "version: 1\nstages: {n: {uses: ./" + std::to_string(i + 1) + ".yaml}}\n";
  }
  EXPECT_THAT(FindingsOf("version: 1\nstages: {a: {uses: ./0.yaml}}\n"),
              ElementsAre(HasSubstr("more than 10 workflows use each other")));
  files_.clear();
  std::string many;
  for (int i = 0; i < 60; ++i) many += ", " + std::to_string(i);
  for (int i = 0; i < 8; ++i) {
    files_["/shots/" + std::to_string(i) + ".yaml"] = "version: 1\nstages: {n: {uses: ./" + std::to_string(i + 1) +
                                                      ".yaml, matrix: {n: [60" + many + "]}}}\n" + "#" +
                                                      std::string(100'000, 'x') + "\n";
  }
  files_["/shots/8.yaml"] = "version: 1\nstages: {a: {uses: noop}}\n";
  EXPECT_THAT(FindingsOf("version: 1\nstages: {a: {uses: ./0.yaml}}\n"),
              Contains(HasSubstr("takes more than 512 MiB")));
}

TEST_F(UsedWorkflowsTest, TargetsAndSecretsAreTheRuns) {
  files_["/shots/shot.yaml"] =
      "version: 1\nsecrets: {t: {env: T}}\ntargets: {gpu: {local: {}, gpus: 1}, own: {local: {}}}\n"
      "stages: {a: {uses: noop, target: gpu}, b: {uses: noop}, c: {uses: noop, target: own}, d: {uses: noop, target: "
      "far}}\n";
  const Plan plan = PlanOf(
      "version: 1\ntargets: {gpu: {local: {}, gpus: 8}, far: {local: {}}}\n"
      "stages: {s: {uses: ./shot.yaml, target: far}}\n");
  EXPECT_EQ(plan.targets.at("gpu")["gpus"], 8);
  EXPECT_EQ(plan.targets.count("own"), 1u);
  EXPECT_EQ(In(plan, "s.a").target, "gpu");
  EXPECT_EQ(In(plan, "s.b").target, "far");
  EXPECT_EQ(plan.secrets.at(0).env, "T");
  EXPECT_THAT(
      FindingsOf(
          "version: 1\nsecrets: {t: {env: OTHER}}\ntargets: {far: {local: {}}}\nstages: {s: {uses: ./shot.yaml}}\n"),
      Contains(HasSubstr("the secret 't' is read from one place here")));
}

TEST_F(UsedWorkflowsTest, TwoCannotWriteTheSameLog) {
  files_["/shots/shot.yaml"] = "version: 1\nstages: {a: {uses: shell, prompt_name: fixed, with: {run: x}}}\n";
  EXPECT_THAT(FindingsOf("version: 1\nstages: {s: {uses: ./shot.yaml, matrix: {n: [1, 2]}}}\n"),
              ElementsAre(HasSubstr("would write the same log")));
}

TEST(IsWorkflowFileTest, TellsFilesFromPlugins) {
  for (const char* file : {"./a", "../a.yaml", "/a/b.yml", "shot.yaml", "lib/shot.yml"})
    EXPECT_TRUE(IsWorkflowFile(file));
  for (const char* plugin : {"shell", "my.plugin", "yaml"}) EXPECT_FALSE(IsWorkflowFile(plugin));
}

}  // namespace
}  // namespace cosmos
