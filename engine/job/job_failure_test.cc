#include "job/job_failure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cosmos {
namespace {

using ::testing::HasSubstr;

JobState Ended(int status, const std::string& note = "") {
  JobState state;
  state.phase = JobState::Phase::kEnded;
  state.exit_status = status;
  state.note = note;
  return state;
}

ContainerRecord Container() {
  ContainerRecord container;
  container.image = "me/x:1";
  container.started_at = 1;
  return container;
}

TEST(JobFailure, AGoodEndIsNone) {
  const ContainerRecord container = Container();
  EXPECT_FALSE(FailureOf(Ended(0), "log", nullptr));
  EXPECT_FALSE(FailureOf(Ended(0), "log", &container));
}

TEST(JobFailure, AnEndThatIsNotProvenIsNoGoodEnd) {
  const ContainerRecord container = Container();
  const Failure unexecuted = FailureOf(Ended(0, "unexecuted"), "log", &container);
  EXPECT_EQ(unexecuted.kind, FailureKind::kExitCode);
  EXPECT_THAT(unexecuted.message, HasSubstr("image 'me/x:1' ended with status 0 without executing the job's command"));
  EXPECT_THAT(unexecuted.message, HasSubstr("container.entrypoint: none"));
  EXPECT_THAT(FailureOf(Ended(0, "unfinished"), "log", &container).message, HasSubstr("before the job's command did"));
}

TEST(JobFailure, StatusesThatAShellOrTheSystemGivesAreExplained) {
  EXPECT_THAT(FailureOf(Ended(126), "log", nullptr).message, HasSubstr("could not be executed"));
  EXPECT_THAT(FailureOf(Ended(127), "log", nullptr).message,
              HasSubstr("exited with status 127: a command was not found"));
  EXPECT_THAT(FailureOf(Ended(137), "log", nullptr).message, HasSubstr("(SIGKILL): often the machine had no memory"));
  EXPECT_THAT(FailureOf(Ended(139), "log", nullptr).message, HasSubstr("(SIGSEGV): the program crashed"));
  EXPECT_EQ(FailureOf(Ended(3), "log", nullptr).message, "the job exited with status 3; see its log log");
}

TEST(JobFailure, WhoKilledItIsSaid) {
  ContainerRecord container = Container();
  EXPECT_THAT(FailureOf(Ended(137, "unfinished"), "log", &container).message, HasSubstr("signal 9 (SIGKILL)"));
  EXPECT_THAT(FailureOf(Ended(143), "log", nullptr).message, HasSubstr("signal 15 (SIGTERM)"));
  container.oom_killed = true;
  EXPECT_THAT(FailureOf(Ended(137, "unfinished"), "log", &container).message, HasSubstr("no memory left"));
  EXPECT_FALSE(FailureOf(Ended(0), "log", &container));  // a child of it was killed, and it went on
}

TEST(JobFailure, Status125IsTheEnginesOnlyWhereNothingStarted) {
  ContainerRecord container = Container();
  EXPECT_THAT(FailureOf(Ended(125), "log", &container).message, HasSubstr("exited with status 125"));
  container.started_at = 0;
  EXPECT_THAT(FailureOf(Ended(125), "log", &container).message, HasSubstr("could not be started"));
}

TEST(JobFailure, WithoutAnExitStatusItIsSaidWhy) {
  JobState state = Ended(-1);
  state.gone = FailureKind::kHostRebooted;
  EXPECT_EQ(FailureOf(state, "log", nullptr).kind, FailureKind::kHostRebooted);
  state.gone = FailureKind::kKilled;
  EXPECT_THAT(FailureOf(state, "log", nullptr).message, HasSubstr("left no exit status; see its log log"));
}

}  // namespace
}  // namespace cosmos
