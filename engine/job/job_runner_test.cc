#include "job/job_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <atomic>
#include <thread>

#include "core/error.h"
#include "core/files.h"
#include "target/local/local_target.h"
#include "target/local/process.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NoLogger final : public Logger {
 public:
  void Log(LogLevel, const RunContext&, std::string_view) noexcept override {}
};

// Its time of day is an hour later whenever it is asked for.
class SteppingClock final : public Clock {
 public:
  WallTime Wall() override { return std::chrono::system_clock::now() + ++calls_ * 1h; }
  SteadyTime Steady() override { return std::chrono::steady_clock::now(); }

 private:
  std::atomic<int> calls_ = 0;
};

class JobRunnerTest : public ::testing::Test {
 protected:
  JobRunnerTest() {
    char name[] = "/tmp/cosmos-jobs-XXXXXX";
    root_ = ::mkdtemp(name);
    store_ = RunStore::Open((root_ / "runs.db").string());
    RunRecord run;
    run.run_id = "rs_1";
    run.workflow = "w";
    run.output_dir = root_;
    run.status = "running";
    run.started_at = 1;
    store_->PutRun(run);
  }
  ~JobRunnerTest() override { fs::remove_all(root_); }

  JobRequest Request(const std::string& script) {
    JobRequest request;
    request.context.run_id = "rs_1";
    request.context.stage = "render";
    request.target_name = "local";
    request.target = &target_;
    request.folder = root_ / "jobs/render/1";
    request.command.script = script;
    request.command.workdir = root_;
    request.local_folder = root_ / "city";
    request.log_path = root_ / "city/logs/run.log";
    request.diagnostics = root_ / "diagnostics";
    request.grace = 10s;
    request.begun = clock_.Steady();
    return request;
  }

  // As one engine does it: its own writer, bus and listeners.
  JobOutcome Run(const JobRequest& request, const JobLog::Listener& listener = {}) {
    StoreWriter writer(store_.get());
    EventBus bus(&clock_, 0);
    events_.clear();
    bus.Subscribe({"test", Subscription::Overflow::kBlock, 100, [](const EventPayload&) { return true; },
                   [this](const Event& event) { events_.emplace_back(TypeName(event.payload)); }});
    JobRunner runner(&writer, &bus, &logger_, &masker_, &clock_);
    return runner.Run(request, cancel_, listener);
  }
  std::string Log() { return ReadFile(root_ / "city/logs/run.log"); }

  fs::path root_;
  SystemClock clock_;
  NoLogger logger_;
  Masker masker_;
  CancelToken cancel_;
  LocalTarget target_;
  std::unique_ptr<RunStore> store_;
  std::vector<std::string> events_;
};

TEST_F(JobRunnerTest, ASuccessfulJobLeavesHandleLogOutputsAndEvents) {
  JobRequest request = Request("echo hello; echo data >\"$COSMOS_OUTPUT_DIR/a.txt\"");
  request.outputs = {{"text", "a.txt", false, false}};
  std::string heard;
  const JobOutcome outcome = Run(request, [&](std::string_view bytes) { heard += bytes; });
  EXPECT_FALSE(outcome.failure) << outcome.failure.message;
  EXPECT_EQ(outcome.outputs.at(0).path, root_ / "city/a.txt");
  EXPECT_EQ(heard, "hello\n");
  EXPECT_EQ(Log(), "hello\n");
  const std::vector<JobRecord> jobs = store_->JobsOf("rs_1");
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].status, "ended");
  EXPECT_EQ(jobs[0].exit_status, 0);
  EXPECT_GT(jobs[0].pid, 0);
  EXPECT_GT(jobs[0].submitted_at, 0);
  EXPECT_THAT(events_, ElementsAre("job_submitted", "log_available", "job_ended", "log_available"));
}

TEST_F(JobRunnerTest, AnExitStatusIsAFailureThatNamesIt) {
  const JobOutcome outcome = Run(Request("exit 3"));
  EXPECT_EQ(outcome.failure.kind, FailureKind::kExitCode);
  EXPECT_THAT(outcome.failure.message, HasSubstr("status 3"));
}

TEST_F(JobRunnerTest, ASecondEngineAttachesAndRunsNothingTwice) {
  const JobRequest request = Request("echo x >>count; sleep 0.2; echo done");
  const JobScript script = MakeJobScript(request.context, request.folder, request.command, masker_);
  target_.Submit({request.folder, script.text, {}});  // an engine that died before it stored the handle
  const JobOutcome outcome = Run(request);
  EXPECT_FALSE(outcome.failure);
  EXPECT_EQ(events_.at(0), "job_attached");
  EXPECT_EQ(Log(), "done\n");
  // And once more, after its end.
  EXPECT_FALSE(Run(request).failure);
  EXPECT_EQ(ReadFile(root_ / "count"), "x\n");
  EXPECT_EQ(store_->JobsOf("rs_1").size(), 1u);
}

TEST_F(JobRunnerTest, AStepOfTheClockEndsNoJob) {
  SteppingClock clock;
  StoreWriter writer(store_.get());
  EventBus bus(&clock, 0);
  JobRunner runner(&writer, &bus, &logger_, &masker_, &clock);
  JobRequest request = Request("sleep 0.3");
  request.timeout = 30s;
  EXPECT_FALSE(runner.Run(request, cancel_, {}).failure);
}

TEST_F(JobRunnerTest, TimeoutEndsTheGroup) {
  JobRequest request = Request("sleep 1000 & sleep 1000");
  request.timeout = 50ms;
  EXPECT_EQ(Run(request).failure.kind, FailureKind::kTimeout);
  const JobRecord job = store_->JobsOf("rs_1").at(0);
  EXPECT_TRUE(ProcessesOfSession(static_cast<pid_t>(job.pid)).empty());
  EXPECT_EQ(job.status, "ended");
}

TEST_F(JobRunnerTest, CancellationEndsTheGroup) {
  std::thread canceller([&] {
    std::this_thread::sleep_for(50ms);
    cancel_.Cancel();
  });
  EXPECT_EQ(Run(Request("sleep 1000")).failure.kind, FailureKind::kCancelled);
  canceller.join();
  EXPECT_TRUE(ProcessesOfSession(static_cast<pid_t>(store_->JobsOf("rs_1").at(0).pid)).empty());
}

TEST_F(JobRunnerTest, AnEngineThatGivesUpLeavesTheJobAlone) {
  std::thread canceller([&] {
    std::this_thread::sleep_for(50ms);
    cancel_.Abandon();
  });
  const JobRequest request = Request("sleep 1000");
  EXPECT_THROW(Run(request), Error);
  canceller.join();
  const auto handle = target_.Find(request.folder);
  ASSERT_TRUE(handle);
  EXPECT_EQ(target_.Poll(*handle).phase, JobState::Phase::kRunning);
  EXPECT_TRUE(target_.Cancel(*handle, 10s));
}

TEST_F(JobRunnerTest, KilledFromOutsideIsKilled) {
  const JobOutcome by_signal = Run(Request("kill -9 $(sh -c 'echo $PPID')"));
  EXPECT_EQ(by_signal.failure.kind, FailureKind::kKilled);
  EXPECT_THAT(by_signal.failure.message, HasSubstr("SIGKILL"));
}

TEST_F(JobRunnerTest, WhatAJobLeftBehindIsEnded) {
  EXPECT_FALSE(Run(Request("sleep 1000 &")).failure);
  EXPECT_TRUE(ProcessesOfSession(static_cast<pid_t>(store_->JobsOf("rs_1").at(0).pid)).empty());
}

TEST_F(JobRunnerTest, SecretsThatAJobPrintsStandInNoLog) {
  masker_ = Masker({"gold-token"});
  JobRequest request = Request("echo \"a $TOKEN b\"");
  request.command.env["TOKEN"] = "gold-token";
  std::string heard;
  EXPECT_FALSE(Run(request, [&](std::string_view bytes) { heard += bytes; }).failure);
  EXPECT_EQ(Log(), "a *** b\n");
  EXPECT_EQ(heard, "a *** b\n");
  EXPECT_EQ(ReadFile(request.folder + "/run.log"), "a *** b\n");
}

TEST_F(JobRunnerTest, ASilentJobIsEndedAndWhatItDidIsKept) {
  JobRequest request = Request("echo begin; sleep 1000 & sleep 1000");
  request.stall_timeout = 300ms;
  const JobOutcome outcome = Run(request);
  EXPECT_EQ(outcome.failure.kind, FailureKind::kStalled);
  EXPECT_THAT(outcome.failure.message, HasSubstr("wrote nothing to its log for 0.3 s"));
  const std::string kept = ReadFile(root_ / "diagnostics/render.attempt-1.stalled.txt");
  const std::size_t own = kept.find("# processes of the job"), all = kept.find("# all processes");
  ASSERT_LT(own, all);
  ASSERT_LT(all, kept.size());
  EXPECT_THAT(kept.substr(own, all - own), HasSubstr("sleep 1000"));
  EXPECT_THAT(Log(), ::testing::StartsWith("begin\n"));
}

TEST_F(JobRunnerTest, AJobThatWritesDoesNotStall) {
  JobRequest request = Request("i=0; while [ $i -lt 20 ]; do echo $i; sleep 0.1; i=$((i + 1)); done");
  request.stall_timeout = 1500ms;
  EXPECT_FALSE(Run(request).failure) << Log();
}

TEST_F(JobRunnerTest, TheLogsEndSaysWhyItFailed) {
  const JobOutcome failed = Run(Request("echo 'torch.OutOfMemoryError: CUDA out of memory.' >&2; exit 1"));
  EXPECT_EQ(failed.failure.kind, FailureKind::kCudaOom);
  EXPECT_THAT(failed.failure.message, HasSubstr("on_oom"));
}

// cosmos-transfer2.5 does so with its default `keep_going`.
TEST_F(JobRunnerTest, AGuardrailThatExitsWithZeroIsOne) {
  JobRequest request = Request("echo 'GUARDRAIL BLOCKED: prompt'");
  request.outputs = {{"video", "output.mp4", true, false}};
  EXPECT_EQ(Run(request).failure.kind, FailureKind::kGuardrailBlocked);
}

TEST_F(JobRunnerTest, AGoodEndIsGoodWhateverTheLogSays) {
  EXPECT_FALSE(Run(Request("echo 'CUDA out of memory, trying again'")).failure);
}

TEST_F(JobRunnerTest, AVideoMustBeAsExpected) {
  JobRequest request =
      Request("ffmpeg -v error -f lavfi -i testsrc2=s=64x48:r=10:d=1 \"$COSMOS_OUTPUT_DIR/output.mp4\"");
  request.outputs = {{"video", "output.mp4", true, false, {}}};
  request.outputs[0].expect.frames = 10;
  EXPECT_FALSE(Run(request).failure) << Log();
  request.folder = root_ / "jobs/render/2";
  request.outputs[0].expect.frames = 11;
  const Failure failure = Run(request).failure;
  EXPECT_EQ(failure.kind, FailureKind::kOutputInvalid);
  EXPECT_THAT(failure.message, HasSubstr("it has 10 frames, expected 11"));
}

}  // namespace
}  // namespace cosmos
