#include "diagnostics/causes.h"

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace cosmos::plugins
