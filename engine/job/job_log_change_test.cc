// Logs that are truncated or replaced while they are brought.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job/job_log_fixture.h"

namespace cosmos {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const auto kOneTrouble = ElementsAre(HasSubstr("truncated or replaced"));

class JobLogChangeTest : public JobLogTest {
 protected:
  // What stands in the local log after "old\n" was, and `now` is, the job's log.
  void ExpectBegunAnew(const std::string& now) {
    EXPECT_EQ(Local(), std::string("old\n") + kBeginsAnew + now);
    EXPECT_THAT(troubles(), kOneTrouble);
    log_->Finish();
    EXPECT_EQ(Local(), std::string("old\n") + kBeginsAnew + now);
    EXPECT_THAT(troubles(), kOneTrouble);
  }
};

TEST_F(JobLogChangeTest, ReadNoticesATruncatedLog) {
  target_.Write("old\n");
  Open();
  Bring();
  target_.Truncate("ne");
  EXPECT_EQ(log_->Read(4, 100), "");
  EXPECT_EQ(log_->Position(), 0);
  Bring();
  target_.Write("w\n");
  Bring();
  ExpectBegunAnew("new\n");
}

TEST_F(JobLogChangeTest, ReadNoticesAReplacedLog) {
  target_.Write("old\n");
  Open();
  Bring();
  target_.Replace("a longer new one\n");
  EXPECT_EQ(log_->Read(4, 100), "");
  Bring();
  ExpectBegunAnew("a longer new one\n");
}

TEST_F(JobLogChangeTest, PumpNoticesATruncatedLog) {
  target_.Write("old\n");
  Open().Pump();
  target_.Truncate("n\n");
  log_->Pump();
  ExpectBegunAnew("n\n");
}

TEST_F(JobLogChangeTest, PumpNoticesAReplacedLog) {
  target_.Write("old\n");
  Open().Pump();
  target_.Replace("a longer new one\n");
  log_->Pump();
  ExpectBegunAnew("a longer new one\n");
}

TEST_F(JobLogChangeTest, FollowNoticesATruncatedLog) {
  target_.Write("old\n");
  Open();
  std::thread hook([&] { FollowToTheEnd(); });
  Await("old line", [&] { return Local() == "old\n"; });
  target_.Truncate("n\n");
  Await("new line", [&] { return Local() == std::string("old\n") + kBeginsAnew + "n\n"; });
  log_->Close();
  hook.join();
  ExpectBegunAnew("n\n");
}

TEST_F(JobLogChangeTest, FollowNoticesAReplacedLog) {
  target_.Write("old\n");
  Open();
  std::thread hook([&] { FollowToTheEnd(); });
  Await("old line", [&] { return Local() == "old\n"; });
  target_.Replace("a longer new one\n");
  Await("new line", [&] { return Local() == std::string("old\n") + kBeginsAnew + "a longer new one\n"; });
  log_->Close();
  hook.join();
  ExpectBegunAnew("a longer new one\n");
}

TEST_F(JobLogChangeTest, WhatCameBeforeTheWordOfTheChangeIsNotDoubled) {
  target_.SetWordComesLate();
  for (const bool replaced : {false, true}) {
    SCOPED_TRACE(replaced);
    std::filesystem::remove(path_);
    heard_.clear();
    target_.Replace("old\n");
    Open(true);
    std::thread hook([&] { FollowToTheEnd(); });
    Await("old line", [&] { return Local() == "old\n"; });
    replaced ? target_.Replace("new 1\n") : target_.Truncate("n1\n");
    const std::string first = replaced ? "new 1\n" : "n1\n";
    Await("new line", [&] { return Local() == std::string("old\n") + kBeginsAnew + first; });
    target_.Write("new 2\n");
    Await("next line", [&] { return Local() == std::string("old\n") + kBeginsAnew + first + "new 2\n"; });
    log_->Close();
    hook.join();
    log_->Finish();
    EXPECT_EQ(Local(), std::string("old\n") + kBeginsAnew + first + "new 2\n");
    EXPECT_EQ(heard_, "old\n" + first + "new 2\n");
  }
  EXPECT_THAT(troubles(), ElementsAre(HasSubstr("truncated"), HasSubstr("truncated")));
}

TEST_F(JobLogChangeTest, AWordWithoutAChangeChangesNothing) {
  target_.Write("old\n");
  Open();
  Bring();
  target_.EndNextFollow(FollowEnd::kChanged);
  EXPECT_EQ(FollowOnce(4), FollowEnd::kChanged);
  EXPECT_EQ(log_->Position(), 4);
  EXPECT_EQ(Local(), "old\n");
  EXPECT_THAT(troubles(), IsEmpty());
}

TEST_F(JobLogChangeTest, AHalfLineIsEndedBeforeTheNotice) {
  target_.Write("old line without an e");
  Open().Pump();
  target_.Truncate("n\n");
  log_->Finish();
  EXPECT_EQ(Local(), std::string("old line without an e\n") + kBeginsAnew + "n\n");
}

TEST_F(JobLogChangeTest, ALogThatIsGoneForAWhileIsWaitedForAndKnown) {
  target_.Write("old\n");
  Open();
  Bring();
  target_.Remove();
  EXPECT_EQ(log_->Read(4, 100), "");
  EXPECT_EQ(log_->Position(), 4);
  log_->Pump();
  EXPECT_THAT(troubles(), IsEmpty());
  target_.Replace("a longer new one\n");
  EXPECT_EQ(log_->Read(4, 100), "");
  Bring();
  ExpectBegunAnew("a longer new one\n");
}

TEST_F(JobLogChangeTest, FollowNoticesWhatChangedBeforeIt) {
  target_.Write("old\n");
  Open();
  Bring();
  target_.Truncate("n\n");
  EXPECT_EQ(FollowOnce(4), FollowEnd::kChanged);
  EXPECT_EQ(log_->Position(), 0);
  Bring();
  ExpectBegunAnew("n\n");
}

TEST_F(JobLogChangeTest, EachChangeIsSaidOnce) {
  target_.Write("old\n");
  Open();
  Bring();
  for (const char* next : {"2\n", "1\n", ""}) {
    target_.Truncate(next);
    for (int i = 0; i < 3; ++i) {
      log_->Read(log_->Position(), 100);
      Bring();
      log_->Pump();
    }
  }
  EXPECT_EQ(Count(Local(), kBeginsAnew), 2);  // the second change left no fewer bytes, so nothing was to be seen
  EXPECT_EQ(troubles().size(), 2u);
}

TEST_F(JobLogChangeTest, WhatWasHeldBackAsTheStartOfASecretIsNotLost) {
  masker_ = Masker({"gold-token"});
  target_.Write("a gold-");
  Open(true);
  Bring();
  log_->Pump();
  target_.Truncate("token\n");
  log_->Finish();
  EXPECT_EQ(Local(), std::string("a gold-\n") + kBeginsAnew + "token\n");
  EXPECT_EQ(heard_, "a gold-token\n");
}

TEST_F(JobLogChangeTest, TheLogMayBeAskedWhileTroubleIsTold) {
  std::vector<std::int64_t> positions;
  on_trouble_ = [&] { positions.push_back(log_->Position()); };
  const std::vector<std::function<void()>> ways = {[&] { log_->Read(4, 100); }, [&] { log_->Pump(); },
                                                   [&] {
                                                     target_.EndNextFollow(FollowEnd::kChanged);
                                                     FollowOnce(4);
                                                   }};
  for (const auto& notice : ways) {
    std::filesystem::remove(path_);
    target_.Truncate("old\n");
    Open().Pump();
    target_.Truncate("");
    notice();
  }
  EXPECT_THAT(positions, ElementsAre(0, 0, 0));
}

}  // namespace
}  // namespace cosmos
