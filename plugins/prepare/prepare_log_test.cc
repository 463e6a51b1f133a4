#include "prepare/prepare_log.h"

#include <gmock/gmock.h>

#include "testing/fake_host.h"

namespace cosmos::plugins {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class PrepareLogTest : public ::testing::Test {
 protected:
  void Read(std::string_view bytes) { log_.Read(task_, bytes); }
  // Kind and message of a failure after what was read.
  std::string Explained(const std::string& kind) {
    const sdk::StageFailure failure = log_.Explained({kind, "status 2"});
    return failure.kind() + ": " + failure.message();
  }

  sdk::testing::FakeHost host_;
  sdk::Services services_ = sdk::Services::From(*host_.host(), {});
  sdk::Task task_{services_, reinterpret_cast<cosmos_task*>(&host_), "{}"};
  PrepareLog log_;
};

TEST_F(PrepareLogTest, ReportsTheLatestProgressOfAPiece) {
  Read("depth: looking, 1 of 121 frames\ndepth: encoding, 12 of 121 frames\ndepth: enc");
  Read("oding, 34 of 121 frames\nnone of this\n");
  ASSERT_EQ(host_.progress.size(), 2u);
  EXPECT_EQ(host_.progress[0].done, 12);
  EXPECT_EQ(host_.progress[1].done, 34);
  EXPECT_EQ(host_.progress[1].total, 121);
  EXPECT_EQ(host_.progress[1].phase, "encoding depth");
}

TEST_F(PrepareLogTest, WhatWasFoundIsTheReason) {
  Read("warning: a.exr is left out\nerror: color: frame 3 is missing\nerror: seg: ");
  Read("frame 4 is empty\n2 problems found; nothing was written\n" + std::string(kInputAtFault));
  EXPECT_EQ(Explained("exit_code"), "invalid_input: color: frame 3 is missing; seg: frame 4 is empty; status 2");
}

TEST_F(PrepareLogTest, TheProgramsOwnErrorsComeWithTheirAdvice) {
  Read("cosmos-engine: error: there is no colour space 'x'\ncosmos-engine:   expected acescg\n");
  EXPECT_EQ(Explained("exit_code"), "exit_code: there is no colour space 'x'; expected acescg; status 2");
}

TEST_F(PrepareLogTest, ManyReasonsAreCounted) {
  for (int frame = 1; frame <= 9; ++frame) Read("error: frame " + std::to_string(frame) + " is empty\n");
  const std::string explained = Explained("exit_code");
  EXPECT_THAT(explained, HasSubstr("frame 4 is empty; and 5 more problems; status 2"));
  EXPECT_THAT(explained, Not(HasSubstr("frame 5")));
}

TEST_F(PrepareLogTest, OtherFailuresStayAsTheyAre) {
  EXPECT_EQ(Explained("exit_code"), "exit_code: status 2");
  Read("error: color: frame 3 is missing\n");
  EXPECT_EQ(Explained("killed"), "killed: status 2");
}

}  // namespace
}  // namespace cosmos::plugins
