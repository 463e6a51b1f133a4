// SPDX-License-Identifier: BSL-1.0
#include <gmock/gmock.h>

#include <chrono>
#include <cosmos/plugin.hpp>
#include <stdexcept>
#include <string>

#include "testing/fake_host.h"
#include "testing/fake_run.h"

namespace cosmos::sdk {
namespace {

using ::testing::ElementsAre;
using testing::FakeHost;
using testing::FakeJobLog;
using testing::FakeRun;
using namespace std::chrono_literals;

constexpr const char* kJob = "render.2/1";

class JobLogTest : public ::testing::Test {
 protected:
  FakeHost host_;
  FakeRun run_{&host_};
  FakeJobLog& remote_ = run_.LogOf(kJob);
  Services services_ = Services::From(*host_.host(), {});
  JobLog log_{services_, run_.run(), kJob};
};

TEST_F(JobLogTest, ReadsAndAppends) {
  remote_.Write("frame=1\nframe=2\n");
  EXPECT_EQ(log_.Position(), 0);
  const JobLog::Piece piece = log_.Read(0, 8);
  EXPECT_EQ(piece.state, LogState::kOpen);
  EXPECT_EQ(piece.bytes, "frame=1\n");
  log_.Append(0, piece.bytes);
  EXPECT_EQ(log_.Position(), 8);
  log_.Append(4, "e=1\nframe=2\n");  // what is local already is left out
  EXPECT_EQ(remote_.local(), "frame=1\nframe=2\n");
  EXPECT_EQ(log_.Read(16, 8).bytes, "");
  EXPECT_EQ(log_.Read(16, 8).state, LogState::kOpen);
}

TEST_F(JobLogTest, PassesAnyBytes) {
  const std::string bytes("\0a\xFF\xC3", 4);
  remote_.Write(bytes);
  log_.Append(0, log_.Read(0, 100).bytes);
  EXPECT_EQ(remote_.local(), bytes);
}

TEST_F(JobLogTest, FollowsUntilTheLogIsClosed) {
  remote_.Write("a");
  remote_.Then([&] { remote_.Write("bc"); });
  remote_.Then([&] { remote_.Close(); });
  std::string seen;
  const LogState end = log_.Follow(0, [&](std::int64_t position, std::string_view bytes) {
    seen += std::to_string(position) + ":" + std::string(bytes) + " ";
  });
  EXPECT_EQ(end, LogState::kClosed);
  EXPECT_EQ(seen, "0:a 1:bc ");
}

TEST_F(JobLogTest, TellsWhyFollowEnded) {
  const auto ignore = [](std::int64_t, std::string_view) {};
  remote_.LoseConnectionAfter(0);
  EXPECT_EQ(log_.Follow(0, ignore), LogState::kOpen);
  remote_.RefuseFollow(1);
  EXPECT_EQ(log_.Follow(0, ignore), LogState::kBusy);
  remote_.Replace("new");
  EXPECT_EQ(log_.Follow(0, ignore), LogState::kOpen);
  EXPECT_EQ(log_.Position(), 0);
  EXPECT_EQ(remote_.local(), FakeJobLog::kReplaced);
}

TEST_F(JobLogTest, WhatTheReceiverThrowsComesOutOfFollow) {
  remote_.Write("a");
  int calls = 0;
  EXPECT_THROW(log_.Follow(0,
                           [&](std::int64_t, std::string_view) {
                             ++calls;
                             throw std::out_of_range("no place left");
                           }),
               std::out_of_range);
  EXPECT_EQ(calls, 1);
}

TEST_F(JobLogTest, AClosedLogGivesNothing) {
  remote_.Write("a");
  EXPECT_FALSE(log_.Wait(1ms));
  remote_.Close();
  EXPECT_EQ(log_.Position(), std::nullopt);
  EXPECT_EQ(log_.Read(0, 10).state, LogState::kClosed);
  log_.Append(0, "a");
  EXPECT_TRUE(log_.Wait(1h));
  EXPECT_EQ(remote_.local(), "");
}

TEST_F(JobLogTest, ErrorsSayWhatTheHostSaid) {
  remote_.FailAppend("no space left on device");
  try {
    log_.Append(0, "a");
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "no space left on device");
  }
  EXPECT_THROW(log_.Read(7, 1), std::runtime_error);
}

TEST_F(JobLogTest, PassesDurationsInMilliseconds) {
  remote_.Then([] {});
  log_.Wait(2s);
  EXPECT_THAT(remote_.calls().waits, ElementsAre(2000));
}

TEST_F(JobLogTest, WithoutJobRunOrServiceItCountsAsClosed) {
  const Services none;
  for (const JobLog& log :
       {JobLog(services_, run_.run(), "unknown/1"), JobLog(services_, nullptr, kJob), JobLog(none, run_.run(), kJob)}) {
    EXPECT_EQ(log.Position(), std::nullopt);
    EXPECT_EQ(log.Read(0, 1).state, LogState::kClosed);
    EXPECT_EQ(log.Follow(0, nullptr), LogState::kClosed);
    log.Append(0, "a");
    EXPECT_TRUE(log.Wait(1h));
  }
}

}  // namespace
}  // namespace cosmos::sdk
