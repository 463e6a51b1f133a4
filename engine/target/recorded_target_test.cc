#include "target/recorded_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "core/error.h"

namespace cosmos {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Recorder final : public TargetRecorder {
 public:
  void Record(const TargetOperation& operation) noexcept override {
    const std::lock_guard lock(mutex_);
    EXPECT_GE(operation.took, Duration::zero());
    lines.push_back(std::string(operation.target) + " " + std::string(operation.name) + " " +
                    std::string(operation.what) + " " + std::to_string(operation.exit_status) + " " +
                    std::string(ToString(operation.kind)) + (operation.repeats ? " repeats" : ""));
  }
  std::vector<std::string> lines;

 private:
  std::mutex mutex_;
};

// Throws or answers as it is told.
class Host final : public Target {
 public:
  explicit Host(bool local) : local_(local) {}

  std::function<void()> before = [] {};

  void Reach(Duration) override { before(); }
  std::string Workdir() override { return before(), "/work"; }
  bool IsLocal() const override { return local_; }
  TargetOutput Run(const std::string&, Duration) override { return before(), TargetOutput{3, "out", "", false}; }
  Submission Submit(const JobOrder&) override { return before(), Submission{}; }
  std::optional<JobHandle> Find(const std::string&) override { return before(), std::nullopt; }
  JobState Poll(const JobHandle&) override { return before(), JobState{JobState::Phase::kEnded, 7}; }
  JobState Wait(const JobHandle&, const CancelToken&, Duration) override { return before(), JobState{}; }
  bool Cancel(const JobHandle&, Duration) override { return before(), true; }
  LogPiece ReadLog(const JobHandle&, std::int64_t, std::size_t) override { return before(), LogPiece{}; }
  FollowEnd FollowLog(const JobHandle&, std::int64_t, const CancelToken&, const BytesListener& on_bytes) override {
    on_bytes("x");
    return FollowEnd::kLost;
  }
  LogDigest DigestOfLog(const JobHandle&, std::int64_t) override { return before(), LogDigest{}; }
  FolderListing List(const std::string&, const std::string&, bool) override { return before(), FolderListing{}; }
  void Upload(const std::vector<FileTransfer>&, const std::string&, const CancelToken&,
              const TransferListener&) override {
    before();
  }
  std::vector<Downloaded> Download(const std::vector<FileTransfer>&, const CancelToken&,
                                   const TransferListener&) override {
    return before(), std::vector<Downloaded>{Downloaded::kDone};
  }

 private:
  const bool local_;
};

class RecordedTargetTest : public ::testing::Test {
 protected:
  void Make(bool local) {
    auto host = std::make_unique<Host>(local);
    host_ = host.get();
    target_ = std::make_unique<RecordedTarget>(std::move(host), "gpu1", &recorder_);
  }
  void AskEverything() {
    const CancelToken cancel;
    target_->Reach(std::chrono::seconds(1));
    target_->Workdir();
    EXPECT_EQ(target_->Run("echo x", std::chrono::seconds(1)).output, "out");
    target_->Submit({"/job", "script", {}});
    target_->Find("/job");
    EXPECT_EQ(target_->Poll(handle_).exit_status, 7);
    target_->Wait(handle_, cancel, {});
    target_->Cancel(handle_, {});
    target_->ReadLog(handle_, 0, 1);
    EXPECT_EQ(target_->FollowLog(handle_, 0, cancel, [](std::string_view) {}), FollowEnd::kLost);
    target_->DigestOfLog(handle_, 0);
    target_->List("/out", "", false);
    target_->Upload({{"a", "/in/a"}, {"b", "/in/b"}}, "rs", cancel, nullptr);
    EXPECT_THAT(target_->Download({{"a", "/out/a"}}, cancel, nullptr), ElementsAre(Downloaded::kDone));
  }

  const JobHandle handle_{"/job", 0, 0, "", ""};
  Recorder recorder_;
  Host* host_ = nullptr;
  std::unique_ptr<RecordedTarget> target_;
};

TEST_F(RecordedTargetTest, EveryOperationIsTold) {
  Make(false);
  AskEverything();
  EXPECT_THAT(recorder_.lines,
              ElementsAre("gpu1 reach  -1 ", "gpu1 workdir  -1  repeats", "gpu1 run echo x 3 ", "gpu1 submit /job -1 ",
                          "gpu1 find /job -1  repeats", "gpu1 poll /job 7  repeats", "gpu1 wait /job -1  repeats",
                          "gpu1 cancel /job -1  repeats", "gpu1 read_log /job -1  repeats",
                          "gpu1 follow_log /job -1  repeats", "gpu1 digest_of_log /job -1  repeats",
                          "gpu1 list /out -1 ", "gpu1 upload /in/a and 1 more -1 ", "gpu1 download /out/a -1 "));
}

TEST_F(RecordedTargetTest, OnThisMachineWhatOnlyLooksIsToldWhenItFails) {
  Make(true);
  AskEverything();
  EXPECT_THAT(recorder_.lines,
              ElementsAre("gpu1 reach  -1 ", "gpu1 run echo x 3 ", "gpu1 submit /job -1 ", "gpu1 list /out -1 ",
                          "gpu1 upload /in/a and 1 more -1 ", "gpu1 download /out/a -1 "));
  recorder_.lines.clear();
  host_->before = [] { throw Error(ErrorCode::kIo, "No space left on device"); };
  EXPECT_THROW(target_->Poll(handle_), Error);
  EXPECT_THAT(recorder_.lines, ElementsAre("gpu1 poll /job -1 disk_full repeats"));
}

TEST_F(RecordedTargetTest, ErrorsKeepTheirCodeAndNameTheTarget) {
  Make(false);
  host_->before = [] { throw Error(ErrorCode::kConnectionLost, "it is gone", "wait"); };
  try {
    target_->Run("true", {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConnectionLost);
    EXPECT_EQ(error.message(), "target 'gpu1': it is gone");
    EXPECT_EQ(error.hint(), "wait");
  }
  EXPECT_THAT(recorder_.lines, ElementsAre("gpu1 run true -1 connection_lost"));
}

TEST_F(RecordedTargetTest, WhatIsNotTheHostsPassesAsItIs) {
  Make(false);
  const CancelToken cancel;
  const auto throwing = [](std::string_view) { throw std::logic_error("a listener's own"); };
  EXPECT_THROW(target_->FollowLog(handle_, 0, cancel, throwing), std::logic_error);
  host_->before = [] { throw Error(ErrorCode::kIo, "cannot read 'input': No such file or directory"); };
  try {
    target_->Upload({}, "rs", cancel, nullptr);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "cannot read 'input': No such file or directory");
  }
}

TEST_F(RecordedTargetTest, WithoutARecorderItWorksAllTheSame) {
  RecordedTarget target(std::make_unique<Host>(false), "", nullptr);
  EXPECT_EQ(target.Run("true", {}).exit_status, 3);
  EXPECT_THAT(recorder_.lines, IsEmpty());
}

}  // namespace
}  // namespace cosmos
