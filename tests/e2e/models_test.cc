// The Cosmos models as a person runs them, with stand-ins for what cannot be had here (tests/stand_ins).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "support/docker_daemon.h"
#include "support/model_repo.h"
#include "support/processes.h"
#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kFrames = 5;

class ModelsTest : public ::testing::Test {
 protected:
  ModelsTest() : repo_(sandbox_.folder() / "repo", "1280x704", kFrames) {
    MustRun({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=r=24:s=1920x1080", "-frames:v",
             std::to_string(kFrames), (sandbox_.folder() / "in.mp4").string()});
  }

  // One stage of a model; `with` and `more` (keys of the stage) in YAML's flow style.
  Ended Run(const std::string& model, const std::string& with, const std::string& more = "",
            const std::vector<std::string>& options = {}) {
    sandbox_.Write("w.yaml",
                   "version: 1\nname: w\ntargets: {here: {local: {}, gpus: 2}}\nstages:\n  render: {uses: inference, "
                   "target: here, resources: {gpus: 1}, with: {model: " +
                       model + ", " + repo_.Parameters() + ", " + with + "}" + more + "}\n");
    std::vector<std::string> words = {"run", "w.yaml", "--run-id", "rs_test"};
    words.insert(words.end(), options.begin(), options.end());
    return sandbox_.Engine(words);
  }
  static std::string Transfer(const std::string& prompt) {
    return "prompt: \"" + prompt + "\", input_video: in.mp4, controls: {edge: {}, depth: {weight: 0.5}}";
  }
  json Stage(std::size_t index = 0) { return sandbox_.Show("rs_test")["stages"].at(index); }
  // The steps of the ladder that were taken.
  std::vector<std::string> Changes() {
    std::vector<std::string> changes;
    for (const json& event : sandbox_.Journal("rs_test")) {
      if (event["type"] == "stage_retrying") changes.push_back(event["data"]["change"]);
    }
    return changes;
  }
  // The keys of what was kept of jobs, in the order in which it was.
  std::vector<json> Timings() {
    EXPECT_EQ(sandbox_.Engine({"db", "backup", "copy.db"}).status, 0);
    std::istringstream lines(sandbox_.Run({"sqlite3", "copy.db", "SELECT key FROM timings ORDER BY id"}).out);
    std::vector<json> keys;
    for (std::string line; std::getline(lines, line);) keys.push_back(json::parse(line));
    return keys;
  }
  // The path of an artifact by its name, of an attempt.
  std::string Artifact(const std::string& name, std::size_t attempt = 0) {
    const json stage = Stage(attempt);
    for (const json& artifact : stage["artifacts"]) {
      if (artifact.value("name", "") == name) return artifact["path"];
    }
    return "";
  }

  Sandbox sandbox_;
  ModelRepo repo_;
};

TEST_F(ModelsTest, Transfer1LeavesAVideoItsSpecAndItsCommand) {
  const Ended ended = Run("cosmos-transfer1", Transfer("a city at night"));
  ASSERT_EQ(ended.status, 0) << ended.out << ended.err << sandbox_.Engine({"logs", "rs_test"}).out;
  const json outputs = Stage()["outputs"];
  EXPECT_THAT(outputs["video"].get<std::string>(), HasSubstr("output.mp4"));
  EXPECT_TRUE(outputs.contains("depth_control"));
  const json spec = json::parse(sandbox_.Read(Artifact("spec")));
  EXPECT_EQ(spec["prompt"], "a city at night");
  EXPECT_EQ(spec["depth"]["control_weight"], 0.5);
  EXPECT_THAT(sandbox_.Read(Artifact("command")), HasSubstr("torchrun --standalone"));
  EXPECT_EQ(sandbox_.Read(outputs["prompt_file"].get<std::string>()), "a city at night");
}

TEST_F(ModelsTest, TheOtherModelsRunToo) {
  EXPECT_EQ(Run("cosmos-transfer2.5", "keep_input_resolution: false, " + Transfer("a city")).status, 0)
      << sandbox_.Engine({"logs", "rs_test"}).out;
  sandbox_.Write("repo/cosmos_predict2/__init__.py", "");
  sandbox_.Write("p.yaml",
                 "version: 1\nname: p\nstages:\n  a: {uses: inference, with: {model: cosmos-predict2.5, prompt: x, "
                 "num_output_frames: 5, inference_type: video2world, input: in.mp4, " +
                     repo_.Parameters() + "}}\n");
  const Ended ended = sandbox_.Engine({"run", "p.yaml"});
  EXPECT_EQ(ended.status, 0) << ended.err << sandbox_.Engine({"logs", "last"}).out;
  repo_.SetClip("3840x2112", kFrames);
  sandbox_.Write("u.yaml",
                 "version: 1\nname: u\nstages:\n  a: {uses: upscaling, with: {backend: cosmos-4k, input: in.mp4, " +
                     repo_.Parameters() + "}}\n");
  const Ended upscaled = sandbox_.Engine({"run", "u.yaml"});
  EXPECT_EQ(upscaled.status, 0) << upscaled.err << sandbox_.Engine({"logs", "last"}).out;
}

// Both exit with 0 then, without a video.
TEST_F(ModelsTest, AGuardrailIsOneAlsoWhenTheModelExitsWithZero) {
  EXPECT_EQ(Run("cosmos-transfer1", Transfer("a forbidden city")).status, 1);
  EXPECT_EQ(Stage()["failure_kind"], "guardrail_blocked");
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("reword the prompt"));
  // What it was told is there to be looked at.
  EXPECT_THAT(sandbox_.Read(Artifact("spec")), HasSubstr("forbidden"));
}

TEST_F(ModelsTest, AGuardrailOf25IsOneAlsoWhenItKeepsGoing) {
  EXPECT_EQ(Run("cosmos-transfer2.5", "keep_going: true, " + Transfer("a forbidden city")).status, 1);
  EXPECT_EQ(Stage()["failure_kind"], "guardrail_blocked");
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("did not make its output"));
}

TEST_F(ModelsTest, AGuardrailOf25EndsTheModelUnlessToldOtherwise) {
  EXPECT_EQ(Run("cosmos-transfer2.5", Transfer("a forbidden city")).status, 1);
  EXPECT_EQ(Stage()["failure_kind"], "guardrail_blocked");
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("exited with status 1"));
}

TEST_F(ModelsTest, WantOfMemoryClimbsTheLadder) {
  sandbox_.SetEnvironment("STAND_IN_GPU_GB=30");
  const Ended ended = Run("cosmos-transfer1", Transfer("a city"), ", retry: {on_oom: [offload, more_gpus]}");
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_THAT(Changes(), ElementsAre("offload", "more_gpus"));
  const json stages = sandbox_.Show("rs_test")["stages"];
  ASSERT_EQ(stages.size(), 3u);
  EXPECT_EQ(stages[0]["failure_kind"], "cuda_oom");
  EXPECT_EQ(stages[1]["failure_kind"], "cuda_oom");
  EXPECT_THAT(sandbox_.Read(Artifact("command", 0)), ::testing::Not(HasSubstr("--offload_diffusion_transformer")));
  EXPECT_THAT(sandbox_.Read(Artifact("command", 1)), HasSubstr("--offload_diffusion_transformer"));
  EXPECT_THAT(sandbox_.Read(Artifact("command", 1)), HasSubstr("--nproc_per_node=1"));
  EXPECT_THAT(sandbox_.Read(Artifact("command", 2)), HasSubstr("--nproc_per_node=2"));
}

TEST_F(ModelsTest, ALadderThatIsNotLongEnoughEnds) {
  sandbox_.SetEnvironment("STAND_IN_GPU_GB=1");
  EXPECT_EQ(Run("cosmos-transfer2.5", "keep_input_resolution: false, " + Transfer("a city"),
                ", retry: {attempts: 5, on_oom: [offload, fewer_frames]}")
                .status,
            1);
  EXPECT_THAT(Changes(), ElementsAre("offload", "fewer_frames"));
  EXPECT_EQ(sandbox_.Show("rs_test")["failure_kind"], "cuda_oom");
}

TEST_F(ModelsTest, AMissingCheckpointIsNamed) {
  EXPECT_EQ(Run("cosmos-transfer1", "checkpoint_dir: /models, " + Transfer("a city"), "", {"--no-preflight"}).status,
            1);
  EXPECT_EQ(Stage()["failure_kind"], "checkpoint_missing");
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("/models/nvidia/"));
}

TEST_F(ModelsTest, AVideoOfAnotherLengthOrSizeIsNone) {
  repo_.SetClip("1280x704", kFrames - 1);
  EXPECT_EQ(Run("cosmos-transfer1", Transfer("a city")).status, 1);
  EXPECT_EQ(Stage()["failure_kind"], "output_invalid");
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("4 frames, expected 5"));
  repo_.SetClip("960x704", kFrames);
  EXPECT_EQ(sandbox_.Engine({"retry", "rs_test"}).status, 1);
  EXPECT_THAT(sandbox_.Show("rs_test")["error_message"].get<std::string>(), HasSubstr("expected 1280x704"));
}

TEST_F(ModelsTest, AModelThatHangsIsEnded) {
  EXPECT_EQ(Run("cosmos-transfer1", Transfer("hang"), ", stall_timeout: 2s").status, 1);
  EXPECT_EQ(Stage()["failure_kind"], "stalled");
  EXPECT_THAT(sandbox_.JobProcesses(), IsEmpty());
}

class ProgressTest : public ModelsTest {
 protected:
  // What a run told of its progress, in order, as a hook sees it (of what came together only the latest).
  std::vector<json> Told(const std::string& run_id, const std::string& prompt) {
    const std::string file = run_id + ".jsonl";
    sandbox_.Write("w.yaml", "version: 1\nname: w\nhooks: {recorder: {whole: true, file: " + file +
                                 "}}\nstages:\n  render: {uses: inference, with: {model: cosmos-transfer1, " +
                                 repo_.Parameters() + ", " + Transfer(prompt) + "}}\n");
    const Ended ended = sandbox_.Engine({"run", "w.yaml", "--run-id", run_id});
    EXPECT_EQ(ended.status, 0) << ended.err;
    std::istringstream lines(sandbox_.Read(file));
    std::vector<json> told;
    for (std::string line; std::getline(lines, line);) {
      const json event = json::parse(line);
      if (event["type"] == "progress") told.push_back(event["data"]);
    }
    return told;
  }
};

TEST_F(ProgressTest, ASecondRunKnowsFromTheFirstHowLongItTakes) {
  sandbox_.SetEnvironment("STAND_IN_STEP_SECONDS=0.5");  // 1.5 s a video
  for (const json& report : Told("rs_1", "a city")) {
    EXPECT_TRUE(report["done"] >= 5 || report["eta"].is_null()) << report;
  }
  // Another prompt changes nothing.
  const std::vector<json> told = Told("rs_2", "a village");
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(told.front()["eta"].is_number()) << told.front();
  // The first reports may be lost to those that came right after them, but not to those that came a step later.
  EXPECT_GE(told.front()["eta"], 0.5) << told.front();
  EXPECT_EQ(told.back()["done"], 100);
  EXPECT_EQ(told.back()["eta"], 0);
}

TEST_F(ProgressTest, ShowTellsHowFarARunIsAndHowFarOneCameThatWasKilled) {
  sandbox_.SetEnvironment("STAND_IN_STEP_SECONDS=1");
  Told("rs_before", "a city");
  sandbox_.Write("w.yaml",
                 "version: 1\nname: w\nstages:\n  render: {uses: inference, with: {model: cosmos-transfer1, " +
                     repo_.Parameters() + ", " + Transfer("hang") + "}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  const auto progress = [&]() -> json {
    const Ended shown = sandbox_.Engine({"show", "rs_test", "--format", "json"});
    const json run = json::parse(shown.out, nullptr, false);
    const json stages =
        run.is_object() ? run.value("stages", json::array()) : json::array();  // it may not be there yet
    return stages.empty() ? json() : stages[0]["progress"];
  };
  Await("the record to tell that the model is being loaded",
        [&] { return progress().is_object() && progress()["phase"] == "loading the model"; });
  const double done = progress()["done"];
  EXPECT_THAT(sandbox_.Engine({"show", "rs_test"}).out,
              ContainsRegex("progress  loading the model  [0-9]+ %  about .* left\n"));
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  EXPECT_EQ(progress()["done"], done);
  const std::string shown = sandbox_.Engine({"show", "rs_test"}).out;
  EXPECT_THAT(shown, ContainsRegex("progress  loading the model  [0-9]+ %\n"));
  EXPECT_EQ(sandbox_.Engine({"cancel", "rs_test"}).status, 0);
  EXPECT_EQ(progress()["done"], done);
}

TEST_F(ProgressTest, LogsShowOfAProgressBarItsLastState) {
  ASSERT_EQ(Run("cosmos-transfer2.5", "keep_input_resolution: false, " + Transfer("a city")).status, 0);
  const std::string raw = sandbox_.Read(Stage()["log_path"].get<std::string>());
  EXPECT_THAT(raw, HasSubstr("\rGenerating samples:   0%"));
  EXPECT_EQ(sandbox_.Engine({"logs", "rs_test", "render", "--raw"}).out, raw);
  const std::string shown = sandbox_.Engine({"logs", "rs_test", "render"}).out;
  EXPECT_THAT(shown, ::testing::Not(HasSubstr("\r")));
  EXPECT_THAT(shown, ::testing::Not(HasSubstr("Generating samples:   0%")));
  EXPECT_THAT(shown, HasSubstr("Generating samples: 100%"));
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), std::count(raw.begin(), raw.end(), '\n'));
}

TEST_F(ProgressTest, LogsThatAreFollowedShowAProgressBarNowAndThen) {
  sandbox_.SetEnvironment("STAND_IN_STEP_SECONDS=0.3");
  sandbox_.Write("w.yaml",
                 "version: 1\nname: w\nstages:\n  render: {uses: inference, with: {model: cosmos-transfer2.5, "
                 "keep_input_resolution: false, " +
                     repo_.Parameters() + ", " + Transfer("a city") + "}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("the log to be there", [&] { return !sandbox_.Engine({"logs", "rs_test", "--raw"}).out.empty(); });
  const auto begin = std::chrono::steady_clock::now();
  const std::string shown = sandbox_.Engine({"logs", "rs_test", "render", "-f"}).out;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(sandbox_.Wait(engine), 0);
  EXPECT_LE(std::count(shown.begin(), shown.end(), '\r'), took.count() + 1);
  const std::string raw = sandbox_.Read(Stage()["log_path"].get<std::string>());
  EXPECT_GT(std::count(raw.begin(), raw.end(), '\r'), 1);
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), std::count(raw.begin(), raw.end(), '\n'));
  EXPECT_THAT(shown, HasSubstr("Generating samples: 100%"));
}

class BatchTest : public ModelsTest {
 protected:
  BatchTest() { sandbox_.SetEnvironment("STAND_IN_LOADS=" + (sandbox_.folder() / "loads").string()); }

  // A stage over a matrix; one for each of its instances in `with`.
  void Write(const std::string& matrix, const std::string& with, const std::string& more) {
    sandbox_.Write("w.yaml",
                   "version: 1\nname: w\ntargets: {here: {local: {}, gpus: 1}}\nstages:\n  render: {uses: inference, "
                   "target: here, resources: {gpus: 1}, matrix: " +
                       matrix + ", with: {" + repo_.Parameters() + ", " + with + "}" + more + "}\n");
  }
  Ended RunIt() { return sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_test", "--jobs", "1"}); }
  std::size_t Loads() {
    const std::string loads = sandbox_.Read("loads");
    return static_cast<std::size_t>(std::count(loads.begin(), loads.end(), '\n'));
  }
  // The stages' records by instance.
  std::map<std::string, json> Instances() {
    std::map<std::string, json> instances;
    const json run = sandbox_.Show("rs_test");
    for (const json& stage : run["stages"]) instances[stage["instance"]] = stage;
    return instances;
  }
  std::string LogOf(const json& stage) { return sandbox_.Read(stage["log_path"].get<std::string>()); }
};

constexpr const char* kWedge = "{weight: [0.2, 0.5, 0.9], seed: [1, 2, 3, 4]}";
constexpr const char* kWedgeWith =
    "model: cosmos-transfer2.5, prompt: a city, input_video: in.mp4, keep_input_resolution: false, seed: \"${{ "
    "matrix.seed }}\", "
    "controls: {edge: {weight: \"${{ matrix.weight }}\"}}";

TEST_F(BatchTest, AWedgeIsOneLoadOfTheModel) {
  Write(kWedge, kWedgeWith, ", batch: auto");
  const Ended ended = RunIt();
  ASSERT_EQ(ended.status, 0) << ended.err << sandbox_.Engine({"logs", "rs_test"}).out;
  EXPECT_EQ(Loads(), 1u);
  const auto instances = Instances();
  ASSERT_EQ(instances.size(), 12u);
  // The first clip also stands for the loading of the model, so the others are kept apart.
  const std::vector<json> timings = Timings();
  ASSERT_EQ(timings.size(), 12u);
  EXPECT_FALSE(timings[0].contains("later_clip"));
  EXPECT_EQ(timings[1]["later_clip"], true);
  EXPECT_EQ(timings[1]["model"], "cosmos-transfer2.5");
  EXPECT_EQ(timings[1]["target"], "here");
  std::set<std::string> videos;
  for (const auto& [instance, stage] : instances) {
    EXPECT_EQ(stage["status"], "succeeded") << instance;
    videos.insert(stage["outputs"]["video"].get<std::string>());
    const json arguments = json::parse(sandbox_.Read(stage["outputs"]["arguments"].get<std::string>()));
    EXPECT_EQ(arguments["name"], instance);
    EXPECT_THAT(instance, HasSubstr(std::to_string(arguments["seed"].get<int>())));
    // Its own part of the log, after what is everybody's.
    const std::string log = LogOf(stage);
    EXPECT_THAT(log, HasSubstr("Loading keys for batch hints"));
    EXPECT_THAT(log, HasSubstr("] Processing sample " + instance + "\n"));
    EXPECT_EQ(log.find("Processing sample", log.find("Processing sample") + 1), log.npos);
  }
  EXPECT_EQ(videos.size(), 12u);
}

TEST_F(BatchTest, ADryRunTellsWhatIsTogetherAndWhyTheRestIsNot) {
  Write("{weight: [0.2, 0.5], seed: [1, 2]}", kWedgeWith, ", batch: 3");
  const std::string plan = sandbox_.Engine({"run", "w.yaml", "--dry-run"}).out;
  EXPECT_THAT(plan, HasSubstr("one job for 3: render.0.2_1, render.0.2_2, render.0.5_1"));
  EXPECT_THAT(plan, HasSubstr("a job of its own: no other instance fits"));
  Write("{seed: [1, 2]}",
        "model: cosmos-transfer1, prompt: x, input_video: in.mp4, seed: \"${{ matrix.seed }}\", controls: {edge: {}}",
        ", batch: auto");
  EXPECT_THAT(sandbox_.Engine({"run", "w.yaml", "--dry-run"}).out,
              HasSubstr("its 'seed' is another one, and cosmos-transfer1 has one for all of a batch"));
}

TEST_F(BatchTest, WithoutBatchesEachLoadsIt) {
  Write("{seed: [1, 2, 3]}",
        "model: cosmos-transfer2.5, prompt: a city, input_video: in.mp4, keep_input_resolution: false, seed: "
        "\"${{ matrix.seed }}\", controls: {edge: {}}",
        "");
  ASSERT_EQ(RunIt().status, 0);
  EXPECT_EQ(Loads(), 3u);
}

// The script of transfer1 numbers what is left anew, so the third clip stands where the second was meant to be.
TEST_F(BatchTest, ABlockedClipLeavesTheOthersTheirs) {
  for (const std::string model : {"cosmos-transfer1", "cosmos-transfer2.5"}) {
    Write("{prompt: [\"a red city\", \"a forbidden city\", \"a blue city\", \"a green city\"]}",
          "model: " + model +
              ", prompt: \"${{ matrix.prompt }}\", input_video: in.mp4, controls: {edge: {}, depth: {}}" +
              (model == "cosmos-transfer2.5" ? ", keep_input_resolution: false" : ""),
          ", batch: auto");
    const Ended ended = sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_" + model.substr(model.size() - 1)});
    EXPECT_EQ(ended.status, 1) << ended.err;
    const json run = sandbox_.Show("last");
    EXPECT_EQ(run["failure_kind"], "guardrail_blocked");
    int survivors = 0;
    for (const json& stage : run["stages"]) {
      const bool blocked = stage["instance"].get<std::string>().find("forbidden") != std::string::npos;
      EXPECT_EQ(stage["status"], blocked ? "failed" : "succeeded") << stage;
      if (stage["status"] != (blocked ? "failed" : "succeeded")) continue;
      if (blocked) {
        EXPECT_EQ(stage["failure_kind"], "guardrail_blocked");
        EXPECT_THAT(LogOf(stage), HasSubstr("GUARDRAIL BLOCKED"));
        continue;
      }
      ++survivors;
      std::string prompt = sandbox_.Read(stage["outputs"]["prompt_file"].get<std::string>());
      std::replace(prompt.begin(), prompt.end(), ' ', '-');
      EXPECT_THAT(stage["instance"].get<std::string>(), HasSubstr(prompt));
      EXPECT_THAT(LogOf(stage), ::testing::Not(HasSubstr("GUARDRAIL BLOCKED")));
    }
    EXPECT_EQ(survivors, 3);
  }
  EXPECT_EQ(Loads(), 2u);
}

TEST_F(BatchTest, ABatchOutlivesItsEngine) {
  sandbox_.SetEnvironment("STAND_IN_STEP_SECONDS=0.1");
  Write("{seed: [1, 2, 3]}",
        "model: cosmos-transfer2.5, prompt: a city, input_video: in.mp4, keep_input_resolution: false, seed: "
        "\"${{ matrix.seed }}\", controls: {edge: {}}",
        ", batch: auto");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("the model to be loaded", [&] { return Loads() == 1; });
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  const Ended resumed = sandbox_.Engine({"resume", "rs_test"});
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(Loads(), 1u);
  for (const auto& [instance, stage] : Instances()) {
    EXPECT_EQ(stage["attempt"], 1);
    EXPECT_THAT(LogOf(stage), HasSubstr("] Processing sample " + instance + "\n"));
  }
  // Its log came too late to measure it by.
  EXPECT_THAT(Timings(), IsEmpty());
}

// As an engine leaves it that dies after it has recorded the end of the first member, and before those of the others.
TEST_F(BatchTest, MembersThatHadEndedStayEndedAndTheOthersGetWhatIsTheirs) {
  Write("{prompt: [a, b, c]}",
        "model: cosmos-transfer1, prompt: \"${{ matrix.prompt }}\", input_video: in.mp4, controls: {edge: {}}",
        ", batch: auto");
  ASSERT_EQ(RunIt().status, 0);
  const auto before = Instances();
  MustRun({"sqlite3", (sandbox_.folder() / "home/runs.db").string(),
           "UPDATE stage_executions SET status='running', outputs=NULL, ended_at=NULL WHERE instance IN ('b', 'c');"
           "UPDATE runs SET status='running', ended_at=NULL;"});
  std::string journal;
  for (const json& event : sandbox_.Journal("rs_test")) {
    const bool ends =
        event["type"] == "run_finished" || (event["type"] == "stage_finished" && event["instance"] != "a");
    if (!ends) journal += event.dump() + "\n";
  }
  std::ofstream(sandbox_.run_folder("rs_test") / "events.jsonl") << journal;
  const Ended resumed = sandbox_.Engine({"resume", "rs_test"});
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(Loads(), 1u);
  const auto after = Instances();
  for (const char* instance : {"a", "b", "c"}) {
    EXPECT_EQ(after.at(instance)["outputs"], before.at(instance)["outputs"]);
    EXPECT_EQ(sandbox_.Read(after.at(instance)["outputs"]["prompt_file"].get<std::string>()), instance);
  }
  // Its part of the log is the third one, although there are only two to be told of.
  EXPECT_THAT(LogOf(after.at("b")), HasSubstr("video_1/output.mp4"));
  EXPECT_THAT(LogOf(after.at("c")), HasSubstr("video_2/output.mp4"));
  EXPECT_THAT(LogOf(after.at("c")), ::testing::Not(HasSubstr("video_1/output.mp4")));
}

TEST_F(BatchTest, WantOfMemoryIsTriedAgainTogether) {
  sandbox_.SetEnvironment("STAND_IN_GPU_GB=60");
  Write("{seed: [1, 2]}",
        "model: cosmos-transfer2.5, prompt: a city, input_video: in.mp4, keep_input_resolution: false, seed: "
        "\"${{ matrix.seed }}\", controls: {edge: {}}",
        ", batch: auto, retry: {on_oom: [offload]}");
  const Ended ended = RunIt();
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_EQ(Loads(), 2u);
  EXPECT_THAT(Changes(), ElementsAre("offload", "offload"));
}

TEST_F(BatchTest, ACancelledBatchLeavesNothing) {
  Write("{prompt: [hang, \"hang too\"]}",
        "model: cosmos-transfer1, prompt: \"${{ matrix.prompt }}\", input_video: in.mp4, "
        "controls: {edge: {}}",
        ", batch: auto");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("the model to be loaded", [&] { return Loads() == 1; });
  ::kill(engine, SIGINT);
  EXPECT_EQ(sandbox_.Wait(engine), 130);
  for (const auto& [instance, stage] : Instances()) EXPECT_EQ(stage["status"], "cancelled");
  EXPECT_THAT(sandbox_.JobProcesses(), IsEmpty());
}

// Three weights and four seeds on a host with one GPU. How long loading takes can be set by LOAD_SECONDS, to see what
// batches save.
TEST_F(BatchTest, AWedgeOnAHostIsOneLoadAndTwelveWithout) {
  if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  RemoteHost host;
  const ModelRepo there(host.workdir() / "repo", "1280x704", kFrames);
  MustRun({"chown", "-R", std::to_string(host.account().uid()), host.workdir().string()});
  const char* const seconds = std::getenv("LOAD_SECONDS");
  const std::filesystem::path loads = host.account().home() / "loads";
  for (const std::string batch : {"auto", "off"}) {
    sandbox_.Write(
        "w.yaml",
        host.Workflow(std::string("hooks: {log-streamer: {}}\nstages:\n  render: {uses: inference, target: gpu1, "
                                  "resources: {gpus: 1}, matrix: ") +
                          kWedge + ", batch: " + batch + ", env: {STAND_IN_LOADS: " + loads.string() +
                          ", STAND_IN_LOAD_SECONDS: \"" + (seconds == nullptr ? "0" : seconds) + "\"}, with: {" +
                          there.Parameters() + ", " + kWedgeWith + "}}\n",
                      ", gpus: 1"));
    const auto begin = std::chrono::steady_clock::now();
    const Ended ended = sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_" + batch, "--jobs", "1"});
    ASSERT_EQ(ended.status, 0) << ended.err << sandbox_.Engine({"logs", "last"}).out;
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    RecordProperty("seconds_" + batch, std::to_string(took.count()));
    std::printf("batch %s: %.1f s\n", batch.c_str(), took.count());
    const std::string lines = sandbox_.Read(loads);
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), batch == "auto" ? 1 : 12);
    std::filesystem::remove(loads);
    EXPECT_EQ(sandbox_.Show("last")["stages"].size(), 12u);
    EXPECT_THAT(host.Processes(), IsEmpty());
  }
}

TEST_F(ModelsTest, InAContainerOnAHost) {
  for (const std::string& missing : {SshServer::Missing(), DockerDaemon::Missing()}) {
    if (!missing.empty()) GTEST_SKIP() << missing;
  }
  const DockerDaemon docker;
  RemoteHost host("SetEnv DOCKER_HOST=" + docker.Host(), docker.socket());
  const ModelRepo there(host.workdir() / "repo", "1280x704", kFrames);
  MustRun({"chown", "-R", std::to_string(host.account().uid()), host.workdir().string()});
  sandbox_.Write("w.yaml",
                 host.Workflow("hooks: {log-streamer: {}}\nstages:\n  render: {uses: inference, target: gpu1, with: "
                               "{model: cosmos-transfer1, setup: 'PATH=$PWD/bin:$PATH', " +
                                   Transfer("it's a $(city)") + "}}\n",
                               ", container: {image: \"cosmos-test:latest\", workdir: " + there.folder().string() +
                                   ", args: [--network, none]}"));
  const Ended ended = sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_test"});
  ASSERT_EQ(ended.status, 0) << ended.err << sandbox_.Engine({"logs", "rs_test"}).out;
  EXPECT_EQ(json::parse(sandbox_.Read(Artifact("spec")))["prompt"], "it's a $(city)");
  EXPECT_EQ(sandbox_.Read(Stage()["outputs"]["prompt_file"].get<std::string>()), "it's a $(city)");
  EXPECT_THAT(docker.Containers(), IsEmpty());
}

}  // namespace
}  // namespace cosmos::testing
