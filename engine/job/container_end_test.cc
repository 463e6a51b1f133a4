// How containers are ended, looked at and removed, with a `docker` that only remembers what it was told.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "core/clock.h"
#include "core/files.h"
#include "core/text.h"
#include "job/container.h"
#include "target/local/local_target.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// `docker ps` prints the files of `running` (with -a those of `all`) whose names match the filter, as docker does.
constexpr const char* kDocker = R"sh(#!/bin/sh
cd "$FAKE_DOCKER" || exit 9
echo "$*" >>told
[ ! -e broken ] || exit 1
case $1 in
  ps) case $2 in *a*) of=all ;; *) of=running ;; esac
      for word; do last=$word; done
      ls $of | grep -E "${last#name=}"; true ;;
  stop) [ -e stubborn ] || rm running/"$4" ;;
  kill) [ -e unkillable ] || rm running/"$2" ;;
  rm) [ -e unkillable ] || rm -f running/"$4" all/"$4" ;;
  inspect) cat state ;;
esac
)sh";

class ContainerEndTest : public ::testing::Test {
 protected:
  ContainerEndTest() {
    char name[] = "/tmp/cosmos-container-XXXXXX";
    root_ = ::mkdtemp(name);
    for (const char* folder : {"bin", "all", "running"}) MakeFolders(root_ / folder);
    WriteFile(root_ / "bin/docker", kDocker, 0755);
    path_ = ::getenv("PATH");
    ::setenv("PATH", ((root_ / "bin").string() + ":" + path_).c_str(), 1);
    ::setenv("FAKE_DOCKER", root_.c_str(), 1);
    container_.engine = "docker";
    container_.name = "cosmos_rs_1_render.a_1";
    container_.status = "running";
    container_.exit_status = -1;
  }
  ~ContainerEndTest() override {
    ::setenv("PATH", path_.c_str(), 1);
    fs::remove_all(root_);
  }

  void Run(const std::string& name) const {
    WriteFile(root_ / "all" / name, "");
    WriteFile(root_ / "running" / name, "");
  }
  std::vector<std::string> Told() const { return SplitLines(ReadFile(root_ / "told")); }

  fs::path root_;
  std::string path_;
  ContainerRecord container_;
  LocalTarget target_;
};

TEST_F(ContainerEndTest, StopGivesItsGraceInWholeSeconds) {
  Run(container_.name);
  EXPECT_TRUE(StopContainer(&target_, container_, 1500ms));
  EXPECT_THAT(Told().front(), StartsWith("exec " + container_.name + " /bin/sh -c "));  // its command gets TERM
  EXPECT_EQ(Told()[1], "stop -t 2 " + container_.name);
}

TEST_F(ContainerEndTest, StopKillsWhatDoesNotStopAndSaysWhatStays) {
  Run(container_.name);
  WriteFile(root_ / "stubborn", "");
  EXPECT_TRUE(StopContainer(&target_, container_, 0s));
  Run(container_.name);
  WriteFile(root_ / "unkillable", "");
  EXPECT_FALSE(StopContainer(&target_, container_, 0s));
}

TEST_F(ContainerEndTest, WhatIsNotThereNeedsNoStop) {
  EXPECT_TRUE(StopContainer(&target_, container_, 0s));
  EXPECT_TRUE(RemoveContainer(&target_, container_));
}

TEST_F(ContainerEndTest, AContainerOfASimilarNameIsAnother) {
  for (const char* other : {"cosmos_rs_1_render.a_11", "my_cosmos_rs_1_render.a_1", "cosmos_rs_1_render-a_1"})
    Run(other);
  EXPECT_TRUE(StopContainer(&target_, container_, 0s));
  EXPECT_TRUE(RemoveContainer(&target_, container_));
}

TEST_F(ContainerEndTest, AnEngineThatDoesNotAnswerLeavesItOpen) {
  WriteFile(root_ / "broken", "");
  EXPECT_FALSE(StopContainer(&target_, container_, 0s));
  EXPECT_FALSE(RemoveContainer(&target_, container_));
  EXPECT_EQ(InspectContainer(&target_, &container_), "");
  EXPECT_EQ(container_.status, "running");  // as it was
}

TEST_F(ContainerEndTest, WhereThereIsNoEngineThereIsNothingToEnd) {
  container_.engine = "no-such-engine";
  EXPECT_TRUE(StopContainer(&target_, container_, 0s));
  EXPECT_TRUE(RemoveContainer(&target_, container_));
}

TEST_F(ContainerEndTest, RemoveTakesItAwayWithItsVolumes) {
  Run(container_.name);
  EXPECT_TRUE(RemoveContainer(&target_, container_));
  EXPECT_THAT(Told(), ElementsAre("rm -f -v " + container_.name, ::testing::StartsWith("ps -aq --no-trunc")));
  Run(container_.name);
  WriteFile(root_ / "unkillable", "");
  EXPECT_FALSE(RemoveContainer(&target_, container_));
}

TEST_F(ContainerEndTest, InspectFillsInWhatTheEngineTells) {
  WriteFile(root_ / "state", R"json([{"Id": "f00d", "State": {"Running": false, "ExitCode": 137, "OOMKilled": true,
    "StartedAt": "2024-05-06T07:08:09.123456789Z", "FinishedAt": "2024-05-06T07:09:09.5Z"}, "Other": [1]}])json");
  const std::string facts = InspectContainer(&target_, &container_);
  EXPECT_EQ(nlohmann::json::parse(facts)["Other"][0], 1);
  EXPECT_EQ(container_.container_id, "f00d");
  EXPECT_EQ(container_.status, "exited");
  EXPECT_EQ(container_.exit_status, 137);
  EXPECT_TRUE(container_.oom_killed);
  EXPECT_EQ(container_.started_at, UnixMilliseconds(ParseTime("2024-05-06T07:08:09.000Z")));
  EXPECT_EQ(container_.ended_at - container_.started_at, 60'000);
}

TEST_F(ContainerEndTest, InspectOfOneThatRuns) {
  WriteFile(root_ / "state", R"json([{"Id": "f00d", "State": {"Running": true, "ExitCode": 0,
    "StartedAt": "2024-05-06T07:08:09Z", "FinishedAt": "0001-01-01T00:00:00Z"}}])json");
  InspectContainer(&target_, &container_);
  EXPECT_EQ(container_.status, "running");
  EXPECT_EQ(container_.ended_at, 0);
}

TEST_F(ContainerEndTest, InspectSaysWhyItCannotRead) {
  std::string problem;
  WriteFile(root_ / "state", std::string(60'000, '['));
  EXPECT_EQ(InspectContainer(&target_, &container_, kContainerLimit, &problem), "");
  EXPECT_EQ(problem, "it nests more than 100 levels deep");
  for (const char* state : {R"([{"Id": "f00d"}])", R"([{"State": "running"}])", R"([[]])", R"({"State": {}})"}) {
    problem.clear();
    WriteFile(root_ / "state", state);
    EXPECT_EQ(InspectContainer(&target_, &container_, kContainerLimit, &problem), "") << state;
    EXPECT_EQ(problem, "expected a list with an object that has a State") << state;
    EXPECT_EQ(container_.status, "running") << state;
  }
}

// None of these is more than a fact that is not known; what follows the question is done all the same.
TEST_F(ContainerEndTest, InspectTakesWrongTypesForUnknown) {
  WriteFile(root_ / "state", R"json([{"Id": 7, "State": {"Running": "no", "ExitCode": "137", "OOMKilled": 1,
    "StartedAt": 5, "FinishedAt": ["2024-05-06T07:09:09.5Z"]}}])json");
  EXPECT_NE(InspectContainer(&target_, &container_), "");
  EXPECT_EQ(container_.container_id, "");
  EXPECT_EQ(container_.status, "exited");
  EXPECT_EQ(container_.exit_status, -1);
  EXPECT_FALSE(container_.oom_killed);
  EXPECT_EQ(container_.started_at, 0);
  WriteFile(root_ / "state", R"json([{"Id": [[]], "State": {"ExitCode": 99999999999999}}])json");
  EXPECT_NE(InspectContainer(&target_, &container_), "");
  EXPECT_EQ(container_.exit_status, -1);
}

TEST_F(ContainerEndTest, InspectOfGarbageChangesNothing) {
  for (const char* garbage : {"", "[]", "{}", "[1]", "Error: no such object", "[{"}) {
    WriteFile(root_ / "state", garbage);
    EXPECT_EQ(InspectContainer(&target_, &container_), "") << garbage;
    EXPECT_EQ(container_.status, "running");
    EXPECT_EQ(container_.exit_status, -1);
  }
}

}  // namespace
}  // namespace cosmos
