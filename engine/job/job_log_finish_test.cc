// What a log's end mends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "job/job_log_fixture.h"
#include "target/local/local_target.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(JobLogTest, FinishBringsTheRestAndSaysTheSize) {
  target_.Write(std::string(3'000'000, 'x') + "end\n");
  Open(true);
  log_->Append(0, "xxx");
  EXPECT_EQ(log_->Finish(), 3'000'004);
  EXPECT_EQ(fs::file_size(path_), 3'000'004u);
  EXPECT_EQ(heard_.size(), 3'000'004u);
  EXPECT_EQ(log_->Position(), -1);
  EXPECT_THAT(troubles(), IsEmpty());
}

TEST_F(JobLogTest, ALocalLogThatWasChangedIsBroughtAnew) {
  const std::string all(2'000'000, 'x');
  target_.Write(all);
  Open(true);
  log_->Pump();
  std::fstream(path_).seekp(1'234'567).put('y');
  EXPECT_EQ(log_->Finish(), 2'000'000);
  EXPECT_TRUE(Local() == all);
  EXPECT_THAT(troubles(), ElementsAre(HasSubstr("differed")));
  EXPECT_TRUE(heard_ == all);  // once
}

TEST_F(JobLogTest, ALocalLogThatWasLengthenedOrShortenedIsBroughtAnew) {
  for (const bool longer : {true, false}) {
    fs::remove(path_);
    target_.Truncate("one\ntwo\n");
    Open().Pump();
    longer ? AppendToFile(path_, "not of the job\n") : fs::resize_file(path_, 3);
    EXPECT_EQ(log_->Finish(), 8);
    EXPECT_EQ(Local(), "one\ntwo\n");
  }
  EXPECT_EQ(troubles().size(), 2u);
}

TEST_F(JobLogTest, ALocalLogThatWasRemovedIsBroughtAnew) {
  target_.Write("one\ntwo\n");
  Open().Pump();
  fs::remove_all(path_.parent_path());
  EXPECT_EQ(log_->Finish(), 8);
  EXPECT_EQ(Local(), "one\ntwo\n");
  EXPECT_EQ(troubles().size(), 1u);
}

TEST_F(JobLogTest, WrongBytesOfAHookAreMended) {
  target_.Write("one\ntwo\n");
  Open();
  log_->Append(0, "one\ntw0\n");
  log_->Finish();
  EXPECT_EQ(Local(), "one\ntwo\n");
  EXPECT_THAT(troubles(), ElementsAre(HasSubstr("differed")));
}

TEST_F(JobLogTest, AChangeThatCouldNotBeSeenIsMendedAtTheEnd) {
  target_.Write("old\n");
  Open().Pump();
  target_.Truncate("new and longer\n");
  log_->Pump();
  EXPECT_EQ(Local(), "old\nand longer\n");
  log_->Finish();
  EXPECT_EQ(Local(), "new and longer\n");
  EXPECT_THAT(troubles(), ElementsAre(HasSubstr("differed")));
}

TEST_F(JobLogTest, ALogThatIsGoneLeavesTheLocalOneAsItIs) {
  target_.Write("one\n");
  Open().Pump();
  target_.Remove();
  EXPECT_EQ(log_->Finish(), 4);
  EXPECT_EQ(Local(), "one\n");
  EXPECT_THAT(troubles(), IsEmpty());
}

TEST_F(JobLogTest, ALostConnectionLeavesTheLogAndTheNextEngineFinishes) {
  target_.Write("one\ntwo\n");
  Open(true);
  log_->Append(0, "one\n");
  target_.BeforeRead([] { throw Error(ErrorCode::kConnectionLost, "no way"); });
  EXPECT_THROW(log_->Finish(), Error);
  EXPECT_EQ(Local(), "one\n");
  target_.BeforeRead({});
  Open().Finish();
  EXPECT_EQ(Local(), "one\ntwo\n");
}

TEST_F(JobLogTest, ALogThatGrowsWhileItIsReadIsBroughtWhole) {
  int more = 3;
  target_.BeforeRead([&] {
    if (more-- > 0) target_.Write(std::string(1 << 20, 'x'));
  });
  Open().Finish();
  EXPECT_EQ(fs::file_size(path_), 3u << 20);
  EXPECT_THAT(troubles(), IsEmpty());
}

// On this machine there is nothing to bring.
class LocalJobLogTest : public JobLogTest {
 protected:
  JobLog& OpenLocal(bool with_listener) {
    MakeFolders(root_ / "job");
    AppendToFile(root_ / "job/run.log", "");
    MakeFolders(path_.parent_path());
    JobLog::Order order;
    order.target = &local_;
    order.handle.folder = (root_ / "job").string();
    order.local = path_;
    order.max_bytes = max_bytes_;
    order.masker = &masker_;
    if (with_listener) order.listener = [this](std::string_view bytes) { heard_ += bytes; };
    log_ = std::make_unique<JobLog>(std::move(order));
    return *log_;
  }
  void Write(const std::string& text) const { AppendToFile(root_ / "job/run.log", text); }

  LocalTarget local_;
};

TEST_F(LocalJobLogTest, TheLocalLogIsTheJobsOwn) {
  OpenLocal(true);
  EXPECT_EQ(log_->Position(), -1);  // no hook is needed
  EXPECT_EQ(log_->Read(0, 10), std::nullopt);
  Write("one\n");
  EXPECT_EQ(Local(), "one\n");
  log_->Pump();
  EXPECT_EQ(heard_, "one\n");
  Write("two\n");
  EXPECT_EQ(log_->Finish(), 8);
  EXPECT_EQ(heard_, "one\ntwo\n");
  EXPECT_TRUE(fs::equivalent(path_, root_ / "job/run.log"));
  OpenLocal(false);  // as the next engine
  EXPECT_EQ(log_->PumpInterval(), std::nullopt);
  EXPECT_EQ(log_->Finish(), 8);
}

TEST_F(LocalJobLogTest, WithSecretsNothingUnmaskedOutlivesTheJob) {
  masker_ = Masker({"gold-token"});
  OpenLocal(true);
  Write("a gold-tok");
  log_->Pump();
  Write("en b\n");
  log_->Pump();
  EXPECT_EQ(log_->Finish(), 8);
  EXPECT_EQ(Local(), "a *** b\n");
  EXPECT_EQ(heard_, "a *** b\n");
  EXPECT_EQ(ReadFile(root_ / "job/run.log"), "a *** b\n");
}

}  // namespace
}  // namespace cosmos
