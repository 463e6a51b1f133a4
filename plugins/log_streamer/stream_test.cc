#include "log_streamer/stream.h"

#include <gmock/gmock.h>

#include <cosmos/services.hpp>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "testing/fake_host.h"
#include "testing/fake_run.h"

namespace cosmos::plugins {
namespace {

using sdk::testing::FakeHost;
using sdk::testing::FakeJobLog;
using sdk::testing::FakeRun;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Le;
using Mode = StreamOptions::Mode;
using namespace std::chrono_literals;

// Everything happens on the test's own thread: the fake log's steps stand in for the passing of time, and the last of
// them closes the log.
class StreamTest : public ::testing::Test {
 protected:
  void Stream(Mode mode) {
    options_.mode = mode;
    plugins::Stream(log_, options_, [this](const std::string& sentence) { warnings_.push_back(sentence); });
  }

  FakeHost host_;
  FakeRun run_{&host_};
  FakeJobLog& remote_ = run_.LogOf("render/1");
  const sdk::JobLog log_{sdk::Services::From(*host_.host(), {}), run_.run(), "render/1"};
  StreamOptions options_;
  std::vector<std::string> warnings_;
};

class StreamInBothModesTest : public StreamTest, public ::testing::WithParamInterface<Mode> {};

INSTANTIATE_TEST_SUITE_P(Modes, StreamInBothModesTest, ::testing::Values(Mode::kFollow, Mode::kPoll),
                         [](const auto& suite) { return suite.param == Mode::kFollow ? "Follow" : "Poll"; });

TEST_P(StreamInBothModesTest, BringsBytesWhileTheyAreWritten) {
  remote_.Write("one ");
  remote_.Then([&] {
    EXPECT_EQ(remote_.local(), "one ");
    remote_.Write("two");
  });
  remote_.Then([] {});  // silence
  remote_.Then([] {});
  remote_.Then([&] {
    EXPECT_EQ(remote_.local(), "one two");
    remote_.Write(" three");
  });
  remote_.Then([&] { remote_.Close(); });
  Stream(GetParam());
  EXPECT_EQ(remote_.local(), "one two three");
  EXPECT_EQ(remote_.calls().repeated, 0u);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_P(StreamInBothModesTest, BringsAnyBytes) {
  std::string bytes;
  for (int i = 0; i < 1024; ++i) bytes += static_cast<char>(i);  // NUL, and nothing that is UTF-8
  remote_.Write(bytes);
  remote_.Then([&] { remote_.Close(); });
  Stream(GetParam());
  EXPECT_EQ(remote_.local(), bytes);
}

TEST_P(StreamInBothModesTest, GoesOnWhereTheLocalLogEnds) {
  remote_.Write("brought before");
  log_.Append(0, "brought ");
  remote_.Then([&] { remote_.Close(); });
  Stream(GetParam());
  EXPECT_EQ(remote_.local(), "brought before");
  EXPECT_EQ(remote_.calls().repeated, 0u);
}

TEST_P(StreamInBothModesTest, BeginsAnewWithALogThatWasReplaced) {
  remote_.Write("old");
  remote_.Then([&] { remote_.Replace("new"); });
  remote_.Then([] {});  // what follows a call that brought nothing
  remote_.Then([&] { remote_.Close(); });
  Stream(GetParam());
  EXPECT_EQ(remote_.local(), std::string("old") + FakeJobLog::kReplaced + "new");
}

TEST_P(StreamInBothModesTest, EndsAtOnceWhenTheLogIsClosed) {
  remote_.Write("too late");
  remote_.Close();
  Stream(GetParam());
  EXPECT_EQ(remote_.local(), "");
  EXPECT_THAT(remote_.calls().waits, IsEmpty());
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_P(StreamInBothModesTest, WarnsOnceAndEndsWhenTheLocalLogCannotBeWritten) {
  remote_.FailAppend("no space left on device");
  remote_.Write("one");
  Stream(GetParam());
  EXPECT_THAT(warnings_, ElementsAre("the log of render/1 is not streamed any more: no space left on device; the "
                                     "engine brings the rest, at the latest when the job has ended"));
  EXPECT_EQ(remote_.local(), "");
}

TEST_F(StreamTest, FollowsOverOneConnection) {
  remote_.Write("one");
  remote_.Then([&] { remote_.Write("two"); });
  remote_.Then([&] { remote_.Close(); });
  Stream(Mode::kFollow);
  EXPECT_THAT(remote_.calls().follows, ElementsAre(0));
  EXPECT_THAT(remote_.calls().reads, IsEmpty());
}

TEST_F(StreamTest, FollowGoesOnAtItsPositionAfterALostConnection) {
  remote_.Write("abcdef");
  remote_.LoseConnectionAfter(4);
  remote_.Then([&] { remote_.Close(); });
  Stream(Mode::kFollow);
  EXPECT_EQ(remote_.local(), "abcdef");
  EXPECT_THAT(remote_.calls().follows, ElementsAre(0, 4));
  EXPECT_EQ(remote_.calls().repeated, 0u);
  EXPECT_THAT(remote_.calls().waits, IsEmpty());
}

TEST_F(StreamTest, AFollowThatBroughtNothingIsNotTriedAgainWithoutARest) {
  options_.poll_interval = 1500ms;
  remote_.LoseConnectionAfter(0);
  remote_.Then([&] { remote_.Write("a"); });
  remote_.Then([&] { remote_.Close(); });
  Stream(Mode::kFollow);
  EXPECT_EQ(remote_.local(), "a");
  EXPECT_THAT(remote_.calls().waits, ElementsAre(1500));
}

TEST_F(StreamTest, WithoutAChannelToSpareItReadsAndTriesToFollowAgain) {
  options_.poll_interval = 1500ms;
  remote_.RefuseFollow(2);
  remote_.Write("ab");
  remote_.Then([&] {
    EXPECT_EQ(remote_.local(), "ab");
    remote_.Write("cd");
  });
  remote_.Then([&] { EXPECT_EQ(remote_.local(), "abcd"); });
  remote_.Then([&] { remote_.Write("ef"); });
  remote_.Then([&] { remote_.Close(); });
  Stream(Mode::kFollow);
  EXPECT_EQ(remote_.local(), "abcdef");
  EXPECT_THAT(remote_.calls().follows, ElementsAre(0, 2, 4));
  EXPECT_THAT(remote_.calls().reads, ElementsAre(0, 2));
  EXPECT_THAT(remote_.calls().waits, ElementsAre(1500, 1500));
  EXPECT_EQ(remote_.calls().repeated, 0u);
}

TEST_F(StreamTest, FollowHasNoTimeLimit) {
  options_.time_limit = 1ms;
  remote_.RefuseFollow(1);
  remote_.Then([] { std::this_thread::sleep_for(5ms); });
  remote_.Then([&] { remote_.Write("late"); });
  remote_.Then([&] { remote_.Close(); });
  Stream(Mode::kFollow);
  EXPECT_EQ(remote_.local(), "late");
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(StreamTest, PollRestsOnlyWhenItHasBroughtAll) {
  constexpr std::int64_t kAtOnce = 256 * 1024;
  const std::string bytes(600 * 1024, 'x');
  options_.poll_interval = 1500ms;
  remote_.Write(bytes);
  remote_.Then([&] {
    EXPECT_EQ(remote_.local(), bytes);
    remote_.Close();
  });
  Stream(Mode::kPoll);
  EXPECT_THAT(remote_.calls().reads, ElementsAre(0, kAtOnce, 2 * kAtOnce));
  EXPECT_THAT(remote_.calls().waits, ElementsAre(1500));
  EXPECT_THAT(remote_.calls().follows, IsEmpty());
}

TEST_F(StreamTest, PollEndsAtItsTimeLimit) {
  options_.poll_interval = 1h;
  options_.time_limit = 5ms;
  remote_.Write("in time");
  Stream(Mode::kPoll);  // the log is never closed, and real time passes
  EXPECT_EQ(remote_.local(), "in time");
  EXPECT_THAT(remote_.calls().waits, Each(Le(5)));
  EXPECT_THAT(warnings_,
              ElementsAre("the log of render/1 is not streamed any more: it was polled for as long as "
                          "time_limit allows; the engine brings the rest, at the latest when the job has ended"));
}

}  // namespace
}  // namespace cosmos::plugins
