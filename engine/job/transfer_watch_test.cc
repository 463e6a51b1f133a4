#include "job/transfer_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace cosmos {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StandingClock final : public Clock {
 public:
  WallTime Wall() override { return {}; }
  SteadyTime Steady() override { return SteadyTime(now); }
  Duration now{};
};

class TransferWatchTest : public ::testing::Test {
 protected:
  TransferWatchTest() : bus_(&clock_, 0) {
    bus_.Subscribe({"test", Subscription::Overflow::kBlock, 100, [](const EventPayload&) { return true; },
                    [this](const Event& event) { events_.push_back(event); }});
    context_.run_id = "rs_1";
    context_.stage = "render";
  }
  const std::vector<Event>& Events() {
    bus_.Close();
    return events_;
  }

  StandingClock clock_;
  EventBus bus_;
  RunContext context_;
  std::vector<Event> events_;
};

TEST_F(TransferWatchTest, TellsWhatWasMovedAndNotWhatWasThere) {
  std::vector<double> heard;
  {
    TransferWatch watch(&bus_, &clock_, context_, {"upload", "gpu1", 3});
    const auto listener = watch.Around([&](double done, double total, std::string_view phase) {
      heard.push_back(done);
      EXPECT_EQ(total, 1000);
      EXPECT_EQ(phase, "uploading");
    });
    listener(200, 1000, "uploading");
    clock_.now = std::chrono::seconds(4);
    listener(700, 1000, "uploading");
    listener(1000, 1000, "uploading");
    clock_.now = std::chrono::seconds(60);  // what comes after the transfer
  }
  EXPECT_THAT(heard, ElementsAre(200, 700, 1000));
  ASSERT_EQ(Events().size(), 1u);
  EXPECT_EQ(events_[0].context.stage, "render");
  EXPECT_EQ(ToJson(events_[0])["data"], nlohmann::json::parse(R"({"direction": "upload", "target": "gpu1", "files": 3,
                                                                  "bytes": 800, "seconds": 4.0})"));
  EXPECT_TRUE(IsLifecycle(events_[0].payload));
}

TEST_F(TransferWatchTest, NothingMovedIsNothingToTell) {
  {
    TransferWatch watch(&bus_, &clock_, context_, {"download", "gpu1", 1});
    watch.Around(nullptr)(1000, 1000, "downloading");
  }
  { const TransferWatch unheard(&bus_, &clock_, context_, {"download", "local", 1}); }
  EXPECT_THAT(Events(), IsEmpty());
}

TEST_F(TransferWatchTest, WhatWasMovedBeforeItFailedCounts) {
  try {
    TransferWatch watch(&bus_, &clock_, context_, {"upload", "gpu1", 1});
    const auto listener = watch.Around(nullptr);
    listener(0, 1000, "");
    listener(300, 1000, "");
    throw std::runtime_error("the disk is full");
  } catch (const std::runtime_error&) {
  }
  ASSERT_EQ(Events().size(), 1u);
  EXPECT_EQ(std::get<TransferEnded>(events_[0].payload).bytes, 300);
}

}  // namespace
}  // namespace cosmos
