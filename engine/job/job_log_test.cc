#include "job/job_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "job/full_disk.h"
#include "job/job_log_fixture.h"

// A log on its way to the local file. See also job_log_change_test.cc, job_log_listener_test.cc and
// job_log_finish_test.cc.
namespace cosmos {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(JobLogTest, AHookBringsALogByReadAndAppend) {
  target_.Write("one\ntwo\n");
  Open();
  EXPECT_EQ(log_->Position(), 0);
  EXPECT_EQ(log_->Read(0, 5), "one\nt");
  EXPECT_EQ(log_->Position(), 0);  // reading alone makes nothing local
  log_->Append(0, "one\nt");
  EXPECT_EQ(log_->Position(), 5);
  EXPECT_EQ(grown(), 5);
  EXPECT_EQ(Local(), "one\nt");
  EXPECT_EQ(log_->Read(5, 100), "wo\n");
  log_->Append(5, "wo\n");
  EXPECT_EQ(log_->Read(8, 100), "");
  EXPECT_EQ(Local(), "one\ntwo\n");
  target_.Write("three\n");
  EXPECT_EQ(log_->Finish(), 14);
  EXPECT_EQ(Local(), "one\ntwo\nthree\n");
  EXPECT_THAT(troubles(), IsEmpty());
}

TEST_F(JobLogTest, BytesOfAnyKindArriveAsTheyAre) {
  std::string all;
  for (int i = 0; i < 3'000'000; ++i) all += static_cast<char>(i * 31 % 256);
  target_.Write(all);
  Open().Pump();
  EXPECT_TRUE(Local() == all);
  log_->Finish();
  EXPECT_THAT(troubles(), IsEmpty());
}

TEST_F(JobLogTest, ABeginningThatIsLocalIsGoneOnWith) {
  const std::string all(500'000, 'x');
  target_.Write(all + "the rest\n");
  LeaveLocal(all);
  Open();
  EXPECT_EQ(log_->Position(), 500'000);
  log_->Finish();
  EXPECT_TRUE(Local() == all + "the rest\n");
  EXPECT_EQ(target_.bytes_read(), 9u);  // what was there is not brought again
  EXPECT_THAT(troubles(), IsEmpty());
}

TEST_F(JobLogTest, ALocalFileThatIsNoBeginningIsBegunAnew) {
  target_.Write("line 1\nline 2\n");
  for (const char* other : {"line 1\nline x", "line 1\nline 2\nline 3\n", "x"}) {
    LeaveLocal(other);
    Open();
    EXPECT_EQ(log_->Position(), 0) << other;
    EXPECT_EQ(Local(), "") << other;
    log_->Finish();
    EXPECT_EQ(Local(), "line 1\nline 2\n") << other;
  }
  EXPECT_THAT(troubles(), IsEmpty());
}

TEST_F(JobLogTest, AppendLeavesOutWhatIsLocalAlready) {
  target_.Write("abcdefgh");
  Open();
  log_->Append(0, "abcd");
  log_->Append(0, "abcd");  // the same again
  log_->Append(2, "cd");
  log_->Append(0, "ab");
  EXPECT_EQ(Local(), "abcd");
  log_->Append(2, "cdef");  // overlapping
  EXPECT_EQ(Local(), "abcdef");
  log_->Append(6, "");
  EXPECT_EQ(log_->Position(), 6);
  log_->Finish();
  EXPECT_EQ(Local(), "abcdefgh");
  EXPECT_THAT(troubles(), IsEmpty());
}

TEST_F(JobLogTest, AppendRefusesAGap) {
  Open();
  log_->Append(0, "ab");
  try {
    log_->Append(3, "d");
    ADD_FAILURE() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_THAT(error.message(), HasSubstr("3"));
    EXPECT_THAT(error.message(), HasSubstr("up to 2"));
  }
  EXPECT_EQ(Local(), "ab");
  EXPECT_EQ(log_->Position(), 2);
}

TEST_F(JobLogTest, TheEngineBringsWhatNoHookBrings) {
  Open();
  EXPECT_GE(*log_->PumpInterval(), 1s);
  target_.Write("a");
  log_->Pump();
  EXPECT_EQ(Local(), "a");
  target_.Write("b");
  log_->Pump();
  EXPECT_EQ(Local(), "ab");
}

TEST_F(JobLogTest, TheEngineLeavesItToAHook) {
  target_.Write("abc");
  Open();
  log_->Append(0, "a");
  const int reads = target_.reads();
  log_->Pump();
  EXPECT_EQ(target_.reads(), reads);
  EXPECT_EQ(Local(), "a");
}

TEST_F(JobLogTest, BytesThatCouldNotBeWrittenDoNotCountAsLocal) {
  Open();
  const FullDisk full;
  EXPECT_THROW(log_->Append(0, "abc"), Error);
  EXPECT_EQ(log_->Position(), 0);
}

TEST_F(JobLogTest, BeyondItsLimitTheLocalLogIsCut) {
  max_bytes_ = 100'000;
  std::string all;
  for (int i = 0; i < 200'000; ++i) all += "line " + std::to_string(i) + "\n";
  target_.Write(all);
  Open(true);
  Bring(10'000);
  EXPECT_EQ(log_->Position(), static_cast<std::int64_t>(all.size()));
  log_->Pump();
  target_.Write("the last line\n");
  EXPECT_LE(log_->Finish(), max_bytes_);
  EXPECT_EQ(Local().substr(0, 20'000), all.substr(0, 20'000));
  EXPECT_THAT(Local(), HasSubstr("bytes are left out here; the whole log is /jobs/1/run.log on its target"));
  EXPECT_EQ(Local().substr(Local().size() - 14), "the last line\n");
  EXPECT_TRUE(heard_ == all + "the last line\n");  // a listener gets all of it
  EXPECT_THAT(troubles(), IsEmpty());
  EXPECT_LT(target_.bytes_read(), all.size() + 1000);
  // The next engine cannot go on with such a file.
  Open();
  EXPECT_EQ(log_->Position(), 0);
}

TEST_F(JobLogTest, SecretsAreMaskedHoweverTheyAreCut) {
  masker_ = Masker({"gold-token", "silver"});
  const std::string text = "a gold-token b\nsilvergold-token\ngold-tok\nsilve";
  for (std::size_t piece = 1; piece < 20; ++piece) {
    std::filesystem::remove(path_);
    target_.Truncate(text);
    heard_.clear();
    Open(true);
    Bring(piece);
    EXPECT_EQ(Count(Local(), "gold-token"), 0);
    log_->Finish();
    EXPECT_EQ(Local(), "a *** b\n******\ngold-tok\nsilve") << piece;
    EXPECT_EQ(heard_, Local()) << piece;
  }
  EXPECT_THAT(troubles(), IsEmpty());
}

TEST_F(JobLogTest, ACutBySecretsIsBegunAnewByTheNextEngine) {
  masker_ = Masker({"gold-token"});
  target_.Write("a gold-token b gold-");
  Open();
  Bring();
  log_->Close();
  EXPECT_EQ(Local(), "a *** b ");  // the rest may be the start of a secret
  target_.Write("token c\n");
  Open().Finish();
  EXPECT_EQ(Local(), "a *** b *** c\n");
}

TEST_F(JobLogTest, AClosedLogTakesNothing) {
  target_.Write("abc");
  Open();
  EXPECT_FALSE(log_->WaitUntilClosed(0ms));
  log_->Close();
  EXPECT_TRUE(log_->WaitUntilClosed(1h));
  EXPECT_EQ(log_->Position(), -1);
  EXPECT_EQ(log_->Read(0, 10), std::nullopt);
  log_->Append(0, "abc");
  EXPECT_EQ(FollowOnce(0), FollowEnd::kStopped);
  EXPECT_EQ(Local(), "");
}

}  // namespace
}  // namespace cosmos
