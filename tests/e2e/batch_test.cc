// Several instances of a stage in one job of the model, which is loaded once.
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

#include "models_fixture.h"
#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

// Where the engine itself cannot go on, as when a folder stands in a log's place, the members fail and the run ends.
TEST_F(BatchTest, WhatTheEngineMeetsIsTheMembersFailure) {
  sandbox_.Write("outputs/w_1/logs/run_rs_test.log/in_the_way", "");
  Write("{seed: [1, 2]}",
        "model: cosmos-transfer2.5, prompt: a city, input_video: in.mp4, keep_input_resolution: false, seed: "
        "\"${{ matrix.seed }}\", controls: {edge: {}}",
        ", batch: auto");
  const Ended ended = RunIt();
  EXPECT_EQ(ended.status, 1) << ended.err;
  for (const auto& [instance, stage] : Instances()) {
    EXPECT_EQ(stage["status"], "failed") << instance;
    EXPECT_EQ(stage["failure_kind"], "plugin_error") << instance;
    EXPECT_THAT(stage["error_message"].get<std::string>(), HasSubstr("run_rs_test.log")) << instance;
  }
  EXPECT_EQ(sandbox_.Show("rs_test")["status"], "failed");
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
    host.ExpectNothingLeft();
  }
}

}  // namespace
}  // namespace cosmos::testing
