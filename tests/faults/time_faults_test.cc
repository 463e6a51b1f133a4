// A timeout counts against a job that runs, by its host's own measure; whatever else happens, the job is looked at
// first.
#include <fstream>
#include <thread>

#include "faults_fixture.h"

namespace cosmos::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class TimeFaultTest : public FaultTest {
 protected:
  // A job that ends well within its time, however long the engine then stays away.
  void ShortJob() const { Stage("sleep 1; echo done >\"$COSMOS_OUTPUT_DIR/o\"", ", timeout: 4s", "o: o"); }
  void ExpectGood() const {
    EXPECT_EQ(StatusOfRun(), "succeeded") << Show().dump(1);
    EXPECT_EQ(Output("o"), "done\n");
    EXPECT_EQ(Starts(), 1);
  }
  static void OutlastTheTimeout() { std::this_thread::sleep_for(5s); }
};

TEST_F(TimeFaultTest, AJobThatEndedInTimeWhileTheEngineWasDeadSucceeds) {
  ShortJob();
  const pid_t engine = Begin();
  AwaitStart();
  Kill(engine);
  OutlastTheTimeout();
  ExpectSuccess(Resume());
  ExpectGood();
}

TEST_F(TimeFaultTest, AJobThatEndedInTimeWhileTheEngineSleptSucceeds) {
  ShortJob();
  const pid_t engine = Begin();
  AwaitStart();
  ::kill(engine, SIGSTOP);
  OutlastTheTimeout();
  ::kill(engine, SIGCONT);
  EXPECT_EQ(sandbox_.Wait(engine), 0);
  ExpectGood();
}

TEST_F(TimeFaultTest, AJobThatEndedInTimeWhileTheNetworkWasAwaySucceeds) {
  ShortJob();
  const pid_t engine = Begin();
  AwaitStart();
  host_->proxy().SetRefuse(true);
  host_->proxy().ResetAll();
  OutlastTheTimeout();
  host_->proxy().SetRefuse(false);
  EXPECT_EQ(sandbox_.Wait(engine), 0);
  ExpectGood();
}

TEST_F(TimeFaultTest, ATimeoutThatPassedWithoutAnEngineEndsTheJob) {
  Stage("exec sleep 1000", ", timeout: 4s");
  const pid_t engine = Begin();
  AwaitStart();
  Kill(engine);
  OutlastTheTimeout();
  EXPECT_EQ(Resume().status, 1);
  EXPECT_EQ(Show()["failure_kind"], "timeout");
  EXPECT_THAT(Show()["error_message"].get<std::string>(), HasSubstr("timed out after 4.0 s"));
  EXPECT_EQ(Starts(), 1);
  host_->ExpectNothingLeft();
}

TEST_F(TimeFaultTest, AnUploadIsBoundedByTheTimeout) {
  std::ofstream(sandbox_.folder() / "big") << std::string(20'000'000, 'x');
  Workflow("stages: {a: {uses: file-copy, target: gpu1, timeout: 2s, with: {input: \"" +
           (sandbox_.folder() / "big").string() + "\"}}}\n");
  host_->proxy().SetThrottle(100'000);
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_EQ(Show()["failure_kind"], "timeout");
  EXPECT_THAT(Show()["error_message"].get<std::string>(), HasSubstr("before its inputs were uploaded"));
  EXPECT_FALSE(std::filesystem::exists(job() / "pid"));
}

TEST_F(TimeFaultTest, ASilentJobThatEndedWhileTheEngineSleptHasNotStalled) {
  Stage("sleep 1; echo done >\"$COSMOS_OUTPUT_DIR/o\"", ", stall_timeout: 3s", "o: o");
  const pid_t engine = Begin();
  AwaitStart();
  ::kill(engine, SIGSTOP);
  OutlastTheTimeout();
  ::kill(engine, SIGCONT);
  EXPECT_EQ(sandbox_.Wait(engine), 0);
  ExpectGood();
}

}  // namespace
}  // namespace cosmos::testing
