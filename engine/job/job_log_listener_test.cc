// Who listens to a log gets each byte once, in order, and holds nobody up for ever.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "core/error.h"
#include "job/job_log_fixture.h"

namespace cosmos {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

std::string Lines(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

TEST_F(JobLogTest, AListenerHearsWhatAHookAppendedAndWhatTheEngineBrings) {
  target_.Write("abcdef");
  Open(true);
  log_->Append(0, "ab");
  EXPECT_EQ(heard_, "");  // not on the hook's thread
  log_->Pump();
  EXPECT_EQ(heard_, "ab");
  log_->Append(0, "abcd");
  log_->Pump();
  log_->Pump();
  EXPECT_EQ(heard_, "abcd");
  log_->Append(4, "e");
  log_->Finish();
  EXPECT_EQ(heard_, "abcdef");
}

TEST_F(JobLogTest, AListenerIsToldSoonOfWhatAHookBrings) {
  Open(true);
  EXPECT_GE(*log_->PumpInterval(), 1s);
  log_->Position();  // a hook has come
  EXPECT_LE(*log_->PumpInterval(), 200ms);
}

TEST_F(JobLogTest, AListenerHearsNothingOfWhatAnEarlierEngineBrought) {
  target_.Write("abcdef");
  LeaveLocal("abc");
  Open(true);
  log_->Pump();
  log_->Finish();
  EXPECT_EQ(heard_, "def");
}

TEST_F(JobLogTest, WriterHookAndListenerAtOnce) {
  constexpr int kLines = 60'000;
  Open(true);
  std::atomic<bool> written = false;
  std::thread writer([&] {
    for (int i = 0; i < kLines; i += 100) target_.Write(Lines(i, i + 100));
    written = true;
  });
  std::thread reader([&] {
    while (log_->Position() >= 0) Bring(777);
  });
  std::thread other([&] {
    while (log_->Position() >= 0) Bring(5'000);
  });
  while (!written) log_->Pump();
  log_->Pump();
  writer.join();
  log_->Finish();
  reader.join();
  other.join();
  EXPECT_TRUE(heard_ == Lines(0, kLines));
  EXPECT_TRUE(Local() == heard_);
  EXPECT_THAT(troubles(), IsEmpty());
}

TEST_F(JobLogTest, FollowersReadersAndTheEngineAtOnce) {
  constexpr int kLines = 60'000;
  target_.SetPiece(4'321);
  Open(true);
  std::thread writer([&] {
    for (int i = 0; i < kLines; i += 100) {
      target_.Write(Lines(i, i + 100));
      if (i % 10'000 == 0) target_.EndNextFollow(FollowEnd::kLost);
    }
  });
  std::vector<std::thread> hooks;
  hooks.emplace_back([&] { FollowToTheEnd(); });
  hooks.emplace_back([&] { FollowToTheEnd(); });
  hooks.emplace_back([&] {
    while (!log_->WaitUntilClosed(1ms)) Bring(10'000);
  });
  const std::size_t all = Lines(0, kLines).size();
  Await("whole log", [&] {
    log_->Pump();
    return heard_.size() == all;
  });
  writer.join();
  log_->Finish();
  for (std::thread& hook : hooks) hook.join();
  EXPECT_TRUE(heard_ == Lines(0, kLines));
  EXPECT_TRUE(Local() == heard_);
  EXPECT_THAT(troubles(), IsEmpty());
}

TEST_F(JobLogTest, ASlowListenerSlowsTheHookSoThatMemoryIsBounded) {
  constexpr std::int64_t kMost = 5 << 20;  // that wait
  constexpr std::int64_t kAll = 20 << 20;
  target_.Write(std::string(kAll, 'x'));
  Open(true);
  std::thread hook([&] { Bring(1 << 18); });
  std::int64_t heard = 0;
  while (heard < kAll) {
    // Until the hook waits; a slow machine only makes this check weaker.
    std::int64_t position = -1;
    while (position != std::exchange(position, log_->Position())) std::this_thread::sleep_for(20ms);
    EXPECT_LE(position - heard, kMost);
    log_->Pump();
    EXPECT_LE(static_cast<std::int64_t>(heard_.size()) - heard, kMost);
    heard = static_cast<std::int64_t>(heard_.size());
  }
  hook.join();
  log_->Finish();
  EXPECT_TRUE(heard_ == std::string(kAll, 'x'));
}

TEST_F(JobLogTest, CloseWakesWhoWaits) {
  Open(true);
  std::thread follower([&] { FollowToTheEnd(); });
  std::thread waiter([&] { EXPECT_TRUE(log_->WaitUntilClosed(1h)); });
  Await("follower", [&] { return target_.followers() == 1; });
  // A hook that the slow listener holds up.
  std::thread appender([&] { log_->Append(0, std::string(10 << 20, 'x')); });
  Await("bytes", [&] { return log_->Position() > 0; });
  log_->Close();
  follower.join();
  waiter.join();
  appender.join();
}

TEST_F(JobLogTest, AFollowerThatHasEnoughLeaves) {
  target_.Write("abc");
  Open();
  EXPECT_EQ(log_->Follow(0, [](std::int64_t, std::string_view) { return false; }), FollowEnd::kLost);
  EXPECT_EQ(log_->Follow(1, [](std::int64_t, std::string_view) { return false; }), FollowEnd::kChanged);
  EXPECT_EQ(log_->Position(), 0);
}

TEST_F(JobLogTest, WhyFollowingEndedIsPassedOn) {
  target_.Write("abc");
  Open();
  for (const FollowEnd end : {FollowEnd::kLost, FollowEnd::kBusy}) {
    target_.EndNextFollow(end);
    EXPECT_EQ(FollowOnce(0), end);
  }
  EXPECT_THROW(
      log_->Follow(0, [](std::int64_t, std::string_view) -> bool { throw Error(ErrorCode::kInternal, "of the hook"); }),
      Error);
  EXPECT_EQ(target_.followers(), 0);
}

TEST_F(JobLogTest, PiecesOfAFollowedLogHaveTheirPositions) {
  target_.Write("abcdefgh");
  target_.SetPiece(3);
  Open();
  log_->Append(0, "a");
  std::string said;
  log_->Follow(1, [&](std::int64_t position, std::string_view bytes) {
    said += std::to_string(position) + std::string(bytes) + " ";
    return position < 7;
  });
  EXPECT_EQ(said, "1bcd 4efg 7h ");
}

}  // namespace
}  // namespace cosmos
