#include "diagnostics/causes.h"

#include <gmock/gmock.h>

#include <array>
#include <fstream>
#include <string>
#include <vector>

#include "diagnostics/summary.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;
using ::testing::HasSubstr;
using ::testing::Not;

// Those of engine/workflow/workflow.schema.json.
std::vector<std::string> KindsOfTheEngine() {
  const Json schema = Json::parse(std::ifstream(WORKFLOW_SCHEMA));
  return schema.at("definitions").at("failure_kind").at("enum").get<std::vector<std::string>>();
}

RunFacts FailedRun(const std::string& kind) {
  return RunFacts(Json{{"run_id", "rs_1"},
                       {"status", "failed"},
                       {"failure_kind", kind},
                       {"error_message", "stage 'render' failed: it is so"},
                       {"started_at", "2026-11-25T03:00:00.000Z"},
                       {"ended_at", "2026-11-25T04:01:30.000Z"},
                       {"stages",
                        {{{"stage", "render"},
                          {"instance", nullptr},
                          {"attempt", 2},
                          {"uses", "inference"},
                          {"status", "failed"},
                          {"failure_kind", kind},
                          {"error_message", "stage 'render' failed: it is so"},
                          {"target", "gpu1"},
                          {"log_path", "/out/render.log"},
                          {"started_at", "2026-11-25T03:00:01.000Z"},
                          {"ended_at", "2026-11-25T03:02:06.000Z"}}}}});
}

TEST(Causes, EveryKindOfFailureHasOne) {
  EXPECT_THAT(KnownKinds(), ::testing::UnorderedElementsAreArray(KindsOfTheEngine()));
  for (const std::string& kind : KindsOfTheEngine()) {
    const RunFacts run = FailedRun(kind);
    const Cause cause = CauseOf(kind, run, run.suspects.at(0));
    EXPECT_FALSE(cause.cause.empty()) << kind;
    EXPECT_FALSE(cause.try_this.empty()) << kind;
    for (const std::string& text : cause.try_this)
      EXPECT_THAT(text, Not(::testing::ContainsRegex("[{](run|stage|target|log)[}]")));
  }
  const RunFacts run = FailedRun("of tomorrow");
  EXPECT_THAT(CauseOf("of tomorrow", run, run.suspects.at(0)).try_this.at(0), HasSubstr("/out/render.log"));
}

TEST(Summary, TellsWhatFailedWhyAndWhatToTry) {
  Item log;
  log.name = "log render";
  log.file = "render.attempt-2.log.txt";
  log.status = Item::Status::kCollected;
  log.text = "one\n`````\nthe last\n";
  Item gpu;
  gpu.name = "gpu";
  gpu.target = "gpu1";
  gpu.status = Item::Status::kFailed;
  gpu.reason = "it took longer than 10 s\nand was ended";
  const std::string text = SummaryOf(FailedRun("cuda_oom"), {log, gpu}, {"GPU 0 is full"}, {"render.host.txt"});
  EXPECT_EQ(text.rfind("# Run rs_1 failed: cuda_oom\n", 0), 0u);
  for (const char* part :
       {"> stage 'render' failed: it is so\n", "stage `render`, attempt 2 (inference on `gpu1`) failed: **cuda_oom**",
        "after 2 min 05 s", "after 1 h 01 min", "## Likely cause\n\nThe GPU's memory", "- GPU 0 is full\n",
        "## What to try\n\n- end what else uses the GPU", "`cosmos-engine retry rs_1`", "\nthe last\n````\n",
        "[render.attempt-2.log.txt](render.attempt-2.log.txt): the end of the log (stage `render`)",
        "[render.host.txt](render.host.txt)",
        "- GPUs and what uses them (target `gpu1`): failed: it took longer than 10 s and was ended\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("`````")));  // nothing ends the fence but its own end
}

TEST(Summary, OfARunThatGoesOn) {
  const RunFacts run(Json{{"run_id", "rs_1"},
                          {"status", "running"},
                          {"started_at", "2026-11-25T03:00:00.000Z"},
                          {"stages", {{{"stage", "a"}, {"attempt", 1}, {"uses", "shell"}, {"status", "running"}}}}});
  const std::string text = SummaryOf(run, {}, {}, {});
  EXPECT_THAT(text, HasSubstr("# Run rs_1 is running\n"));
  EXPECT_THAT(text, HasSubstr("stage `a` (shell on"));
  EXPECT_THAT(text, HasSubstr("Nothing that was collected points to trouble."));
}

// A run of failed stages, by their names: each with a kind and a message.
RunFacts FailedStages(const std::vector<std::array<std::string, 3>>& stages) {
  Json list = Json::array();
  for (const auto& [name, kind, message] : stages) {
    list.push_back({{"stage", name},
                    {"attempt", 1},
                    {"uses", "shell"},
                    {"status", "failed"},
                    {"failure_kind", kind},
                    {"error_message", message},
                    {"target", "gpu1"},
                    {"started_at", "2026-11-25T03:00:01.000Z"},
                    {"ended_at", "2026-11-25T03:02:06.000Z"}});
  }
  return RunFacts(Json{{"run_id", "rs_1"},
                       {"status", "failed"},
                       {"failure_kind", stages.at(0)[1]},
                       {"error_message", stages.at(0)[2]},
                       {"started_at", "2026-11-25T03:00:00.000Z"},
                       {"ended_at", "2026-11-25T04:01:30.000Z"},
                       {"stages", list}});
}

TEST(Causes, AgreeWithWhatTheMessageNames) {
  const std::vector<std::array<std::string, 3>> cases = {
      {"exit_code",
       "the container engine cannot give a GPU to the container (its log: `docker: could not select device "
       "driver`); it exited with status 125",
       "container toolkit"},
      {"exit_code", "could not be started (status 125): nvidia-container-cli: initialization error",
       "container toolkit"},
      {"exit_code",
       "the container's image is not on the target and could not be pulled (its log: `pull access denied`)",
       "image is not on 'gpu1'"},
      {"exit_code", "docker: Cannot connect to the Docker daemon at unix:///x. Is it running?", "no container engine"},
      {"exit_code", "status 127: sh: 1: docker: not found", "no container engine"},
      {"exit_code", "a GPU failed while the job ran (its log: `GPU has fallen off the bus.`)",
       "does not work any more"},
      {"gpu_busy", "1 GPU on 'gpu1' works, expected 2; GPU 1: GPU requires reset", "does not work any more"},
      {"exit_code", "the NVIDIA driver of the target does not work (its log: `NVIDIA-SMI has failed`)",
       "driver on 'gpu1'"},
      {"gpu_busy",
       "target 'gpu1': nvidia-smi fails with status 18: Failed to initialize NVML: Driver/library version "
       "mismatch; the driver is asked again",
       "driver on 'gpu1'"},
      {"exit_code", "the job found no GPU (its log: `No CUDA GPUs are available`)", "found no GPU"},
      {"exit_code", "the job exited with status 7", "own command ended with an error"},
      {"timeout", "the stage's time was over; docker: not found", "longer than its `timeout:`"},
      {"gpu_busy", "GPU 0: 1.1 GB in use by python", "Programs that belong to no run here"},
  };
  for (const auto& [kind, message, cause] : cases) {
    const RunFacts run = FailedStages({{"render", kind, message}});
    EXPECT_THAT(CauseOf(kind, run, run.suspects.at(0)).cause, HasSubstr(cause)) << message;
  }
}

TEST(Causes, AgreeWithTheEndOfTheLogWhereTheMessageNamesNothing) {
  const RunFacts run = FailedStages({{"a", "exit_code", "the job exited with status 127; see its log"}});
  const auto cause = [&](const char* log) { return CauseOf("exit_code", run, run.suspects.at(0), log).cause; };
  EXPECT_THAT(cause("job.sh: 15: exec: podman: not found\n"), HasSubstr("no container engine"));
  EXPECT_THAT(cause("docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n"),
              HasSubstr("no container engine"));
  EXPECT_THAT(cause("python: can't open file\n"), HasSubstr("own command ended with an error"));
  Item log;
  log.name = "log a";
  log.status = Item::Status::kCollected;
  log.text = "docker: Error response from daemon: could not select device driver \"\" with capabilities: [[gpu]].\n";
  EXPECT_THAT(SummaryOf(run, {log}, {}, {}),
              HasSubstr("## Likely cause\n\nThe container engine of 'gpu1' cannot give"));
}

TEST(Causes, AdviseStepsAgainstMemoryOnlyWhereTheStageHasThem) {
  const RunFacts without = FailedStages({{"a", "cuda_oom", "the GPU's memory was not enough; free the GPU"}});
  for (const std::string& text : CauseOf("cuda_oom", without, without.suspects.at(0)).try_this) {
    EXPECT_THAT(text, Not(HasSubstr("on_oom")));
  }
  const RunFacts with = FailedStages({{"a", "cuda_oom", "free the GPU, or `retry: {on_oom: [offload]}`"}});
  EXPECT_THAT(CauseOf("cuda_oom", with, with.suspects.at(0)).try_this, ::testing::Contains(HasSubstr("on_oom")));
}

TEST(Summary, HasACauseForEachStageAndListsThemAll) {
  std::vector<std::array<std::string, 3>> stages = {{"first", "timeout", "its time was over"}};
  for (int i = 0; i < 6; ++i) {
    stages.push_back({"s" + std::to_string(i), "exit_code", "exited with status " + std::to_string(i + 1)});
  }
  stages.push_back({"toolkit", "exit_code", "could not select device driver"});
  const std::string text = SummaryOf(FailedStages(stages), {}, {}, {});
  for (const auto& stage : stages) EXPECT_THAT(text, HasSubstr("- stage `" + stage[0] + "`"));
  EXPECT_THAT(text, HasSubstr("## Likely causes, and what to try\n\n### `first`: timeout\n\nThe stage took longer"));
  EXPECT_THAT(text, HasSubstr("### `s0`, `s1`, `s2`, `s3`, `s4`, `s5`: exit_code\n"));
  EXPECT_THAT(text, HasSubstr("### `toolkit`: exit_code\n\nThe container engine of 'gpu1'"));
}

TEST(Summary, OfARunThatWasInterrupted) {
  const RunFacts run(Json{
      {"run_id", "rs_1"},
      {"status", "running"},
      {"engine_alive", false},
      {"ended_at", nullptr},
      {"started_at", "2026-11-25T03:00:00.000Z"},
      {"stages", {{{"stage", "a"}, {"attempt", 1}, {"uses", "shell"}, {"target", "gpu1"}, {"status", "running"}}}}});
  const std::string text = SummaryOf(run, {}, {}, {});
  for (const char* part : {"# Run rs_1 was interrupted\n", "`cosmos-engine resume rs_1`", "`cosmos-engine cancel rs_1`",
                           "`cosmos-engine targets check gpu1`"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

}  // namespace
}  // namespace cosmos::plugins
