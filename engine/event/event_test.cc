#include "event/event.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

TEST(Event, JsonHasTheDocumentedShape) {
  Event event;
  event.seq = 7;
  event.context.run_id = "rs_1";
  event.context.stage = "render";
  event.context.instance = "2";
  event.context.attempt = 3;
  event.time = ParseTime("2026-11-23T13:46:42.017Z");
  event.payload = StageFailed{{FailureKind::kExitCode, "exited with 3"}};
  EXPECT_EQ(ToJson(event), nlohmann::json::parse(R"({
    "v": 1, "seq": 7, "run_id": "rs_1", "stage": "render", "instance": "2", "attempt": 3,
    "time": "2026-11-23T13:46:42.017Z", "monotonic": 0.0, "type": "stage_failed",
    "data": {"failure": {"kind": "exit_code", "message": "exited with 3"}}})"));
}

TEST(Event, OfTheWholeRunHasNoStage) {
  Event event;
  event.payload = RunFinished{};
  EXPECT_FALSE(ToJson(event).contains("stage"));
  EXPECT_EQ(ToJson(event)["data"], nlohmann::json::parse(R"({"status": "succeeded"})"));
}

}  // namespace
}  // namespace cosmos
