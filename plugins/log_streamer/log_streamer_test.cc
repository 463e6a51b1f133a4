#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "testing/fake_host.h"
#include "testing/fake_run.h"

namespace {

using cosmos::sdk::testing::FakeHost;
using cosmos::sdk::testing::FakeJobLog;
using cosmos::sdk::testing::FakeRun;
using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The plugin as the engine uses it, threads and all.
class LogStreamerTest : public ::testing::Test {
 protected:
  void Start(const json& parameters = json::object()) {
    const FakeHost::Result result = run_.Start(plugin_, parameters);
    ASSERT_EQ(result.status, COSMOS_OK) << result.text;
  }
  // Why the plugin refuses to start with `parameters`.
  std::string Refusal(const json& parameters) {
    const FakeHost::Result result = FakeRun(&host_).Start(plugin_, parameters);
    EXPECT_EQ(result.status, COSMOS_ERROR);
    return result.text;
  }
  void Event(const char* type, const char* stage = "render", const char* instance = "") {
    const FakeHost::Result result = run_.OnEvent(run_.Event(type, stage, instance));
    EXPECT_EQ(result.status, COSMOS_OK) << result.text;
  }
  void Stop() { EXPECT_EQ(run_.Stop().status, COSMOS_OK); }

  const cosmos_plugin_entry_t& plugin_ = cosmos::sdk::testing::LoadPlugin(PLUGIN_FILE);
  FakeHost host_;
  FakeRun run_{&host_};
  FakeJobLog& remote_ = run_.LogOf("render/1");
};

TEST_F(LogStreamerTest, DescribesItself) {
  const json description = cosmos::sdk::testing::Describe(plugin_);
  EXPECT_EQ(description.at("id"), "log-streamer");
  EXPECT_EQ(description.at("kind"), "hook");
  EXPECT_EQ(description.at("events"), (json{"job_submitted", "job_attached", "job_ended"}));
  EXPECT_EQ(description.at("requires"), (json{"cosmos.run/1", "cosmos.job_log/1"}));
  EXPECT_EQ(description.at("parameters").at("additionalProperties"), false);
}

TEST_F(LogStreamerTest, SaysWhichServiceIsMissing) {
  host_.missing_services = {"cosmos.job_log/1"};
  EXPECT_THAT(Refusal(json::object()), HasSubstr("cosmos.job_log/1"));
}

TEST_F(LogStreamerTest, SaysWhatIsWrongWithItsParameters) {
  EXPECT_EQ(Refusal({{"poll_interval", "soon"}}),
            "'poll_interval' of hook 'log-streamer': \"soon\" is not a duration; write a number with ms, s, m, h or d, "
            "such as 30s, 2h or 1h30m");
  EXPECT_EQ(Refusal({{"time_limit", "0s"}}),
            "'time_limit' of hook 'log-streamer': found 0, expected more; write a duration such as 2s");
}

TEST_F(LogStreamerTest, FollowsALogWhileItIsWritten) {
  Start();
  Event("job_submitted");
  remote_.Write("frame=1\r");
  EXPECT_TRUE(remote_.AwaitLocal("frame=1\r"));
  remote_.Write("frame=2\r");
  EXPECT_TRUE(remote_.AwaitLocal("frame=1\rframe=2\r"));
  remote_.Close();
  Event("job_ended");
  Stop();
  EXPECT_THAT(remote_.calls().follows, ElementsAre(0));
  EXPECT_THAT(run_.lines(), IsEmpty());
}

TEST_F(LogStreamerTest, PollsWhenToldTo) {
  remote_.Then([&] { remote_.Write("a"); });
  remote_.Then([&] { remote_.Write("b"); });
  remote_.Then([] {});
  Start({{"mode", "poll"}, {"poll_interval", "1m"}});
  Event("job_submitted");
  EXPECT_TRUE(remote_.AwaitLocal("ab"));
  Stop();
  EXPECT_THAT(remote_.calls().follows, IsEmpty());
  EXPECT_THAT(remote_.calls().waits, Contains(60'000));
}

TEST_F(LogStreamerTest, TakesSecondsAsANumber) {
  Start({{"mode", "poll"}, {"poll_interval", 0.001}});
  Event("job_submitted");
  remote_.Write("a");
  EXPECT_TRUE(remote_.AwaitLocal("a"));
  remote_.Write("b");
  EXPECT_TRUE(remote_.AwaitLocal("ab"));
  Stop();
  EXPECT_THAT(remote_.calls().waits, Contains(1));
}

TEST_F(LogStreamerTest, StreamsManyJobsAtOnce) {
  FakeJobLog& other = run_.LogOf("render.seed=7/1");
  Start();
  Event("job_submitted");
  Event("job_submitted", "render", "seed=7");
  EXPECT_TRUE(remote_.AwaitFollower());
  EXPECT_TRUE(other.AwaitFollower());
  remote_.Write("one");
  other.Write("two");
  EXPECT_TRUE(remote_.AwaitLocal("one"));
  EXPECT_TRUE(other.AwaitLocal("two"));
  remote_.Close();
  Event("job_ended");
  other.Write(", still there");
  EXPECT_TRUE(other.AwaitLocal("two, still there"));
  Stop();
}

TEST_F(LogStreamerTest, StreamsAJobThatIsAttached) {
  Start();
  Event("job_attached");
  remote_.Write("a");
  EXPECT_TRUE(remote_.AwaitLocal("a"));
}

TEST_F(LogStreamerTest, StreamsAJobOnce) {
  Start();
  Event("job_submitted");
  EXPECT_TRUE(remote_.AwaitFollower());
  Event("job_attached");
  remote_.Write("a");
  EXPECT_TRUE(remote_.AwaitLocal("a"));
  Stop();
  EXPECT_THAT(remote_.calls().follows, ElementsAre(0));
  EXPECT_EQ(remote_.calls().repeated, 0u);
}

TEST_F(LogStreamerTest, LeavesJobsAloneWhoseLogIsClosed) {
  remote_.Close();
  Start();
  Event("job_submitted");
  Event("job_submitted", "of another run");
  Event("job_ended");
  Stop();
  EXPECT_THAT(remote_.calls().follows, IsEmpty());
  EXPECT_THAT(run_.lines(), IsEmpty());
}

TEST_F(LogStreamerTest, StopsWhileItFollows) {
  Start();
  Event("job_submitted");
  EXPECT_TRUE(remote_.AwaitFollower());
  Stop();
  EXPECT_THAT(run_.lines(), IsEmpty());
}

TEST_F(LogStreamerTest, StopReturnsWhenItsThreadsHaveEnded) {
  std::promise<void> entered;
  std::atomic<bool> left{false};
  remote_.Then([&] {
    entered.set_value();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    left = true;
  });
  Start();
  Event("job_submitted");
  entered.get_future().wait();
  Stop();
  EXPECT_TRUE(left);
}

TEST_F(LogStreamerTest, StopsWhileItRests) {
  Start({{"mode", "poll"}, {"poll_interval", "1d"}, {"time_limit", "2d"}});
  Event("job_submitted");
  remote_.Write("a");
  Stop();
  EXPECT_THAT(run_.lines(), IsEmpty());
}

TEST_F(LogStreamerTest, AnErrorIsAWarning) {
  remote_.FailAppend("no space left on device");
  remote_.Write("a");
  Start();
  Event("job_submitted");
  ASSERT_TRUE(run_.AwaitLine("no space left on device"));
  EXPECT_EQ(run_.lines().at(0).level, COSMOS_LOG_WARNING);
  remote_.Close();
  Event("job_ended");
  Stop();
  EXPECT_EQ(run_.lines().size(), 1u);
}

TEST_F(LogStreamerTest, TellsOfItsTimeLimit) {
  Start({{"mode", "poll"}, {"poll_interval", "1ms"}, {"time_limit", "5ms"}});
  Event("job_submitted");
  ASSERT_TRUE(run_.AwaitLine("time_limit"));
  EXPECT_EQ(run_.lines().at(0).level, COSMOS_LOG_WARNING);
}

}  // namespace
