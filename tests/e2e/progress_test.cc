// What a run of a model tells of how far it is: to hooks, in `show` and in `logs`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <sstream>

#include "models_fixture.h"

namespace cosmos::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class ProgressTest : public ModelsTest {
 protected:
  // What a run told of its progress, in order, as a hook sees it (of what came together only the latest).
  std::vector<json> Told(const std::string& run_id, const std::string& prompt) {
    const std::string file = run_id + ".jsonl";
    sandbox_.Write("w.yaml", "version: 1\nname: w\nhooks: {recorder: {whole: true, file: " + file +
                                 "}}\nstages:\n  render: {uses: inference, with: {model: cosmos-transfer1, " +
                                 repo_.Parameters() + ", " + Transfer(prompt) + "}}\n");
    const Ended ended = sandbox_.Engine({"run", "w.yaml", "--run-id", run_id});
    EXPECT_EQ(ended.status, 0) << ended.err;
    std::istringstream lines(sandbox_.Read(file));
    std::vector<json> told;
    for (std::string line; std::getline(lines, line);) {
      const json event = json::parse(line);
      if (event["type"] == "progress") told.push_back(event["data"]);
    }
    return told;
  }
};

TEST_F(ProgressTest, ASecondRunKnowsFromTheFirstHowLongItTakes) {
  sandbox_.SetEnvironment("STAND_IN_STEP_SECONDS=0.5");  // 1.5 s a video
  for (const json& report : Told("rs_1", "a city")) {
    EXPECT_TRUE(report["done"] >= 5 || report["eta"].is_null()) << report;
  }
  // Another prompt changes nothing.
  const std::vector<json> told = Told("rs_2", "a village");
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(told.front()["eta"].is_number()) << told.front();
  // The first reports may be lost to those that came right after them, but not to those that came a step later.
  EXPECT_GE(told.front()["eta"], 0.5) << told.front();
  EXPECT_EQ(told.back()["done"], 100);
  EXPECT_EQ(told.back()["eta"], 0);
  const std::vector<json> keys = Timings();
  EXPECT_EQ(keys.size(), 2u);
  for (const json& key : keys) {
    EXPECT_EQ(key["video"], (json{{"frames", kFrames}, {"width", 1280}, {"height", 704}})) << key;
  }
}

TEST_F(ProgressTest, ShowTellsHowFarARunIsAndHowFarOneCameThatWasKilled) {
  sandbox_.SetEnvironment("STAND_IN_STEP_SECONDS=1");
  Told("rs_before", "a city");
  sandbox_.Write("w.yaml",
                 "version: 1\nname: w\nstages:\n  render: {uses: inference, with: {model: cosmos-transfer1, " +
                     repo_.Parameters() + ", " + Transfer("hang") + "}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  const auto progress = [&]() -> json {
    const Ended shown = sandbox_.Engine({"show", "rs_test", "--format", "json"});
    const json run = json::parse(shown.out, nullptr, false);
    const json stages =
        run.is_object() ? run.value("stages", json::array()) : json::array();  // it may not be there yet
    return stages.empty() ? json() : stages[0]["progress"];
  };
  Await("the record to tell that the model is being loaded",
        [&] { return progress().is_object() && progress()["phase"] == "loading the model"; });
  const double done = progress()["done"];
  EXPECT_THAT(sandbox_.Engine({"show", "rs_test"}).out,
              ContainsRegex("progress  loading the model  [0-9]+ %  about .* left\n"));
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  EXPECT_EQ(progress()["done"], done);
  const std::string shown = sandbox_.Engine({"show", "rs_test"}).out;
  EXPECT_THAT(shown, ContainsRegex("progress  loading the model  [0-9]+ %\n"));
  EXPECT_EQ(sandbox_.Engine({"cancel", "rs_test"}).status, 0);
  EXPECT_EQ(progress()["done"], done);
}

TEST_F(ProgressTest, LogsShowOfAProgressBarItsLastState) {
  ASSERT_EQ(Run("cosmos-transfer2.5", "keep_input_resolution: false, " + Transfer("a city")).status, 0);
  const std::string raw = sandbox_.Read(Stage()["log_path"].get<std::string>());
  EXPECT_THAT(raw, HasSubstr("\rGenerating samples:   0%"));
  EXPECT_EQ(sandbox_.Engine({"logs", "rs_test", "render", "--raw"}).out, raw);
  const std::string shown = sandbox_.Engine({"logs", "rs_test", "render"}).out;
  EXPECT_THAT(shown, ::testing::Not(HasSubstr("\r")));
  EXPECT_THAT(shown, ::testing::Not(HasSubstr("Generating samples:   0%")));
  EXPECT_THAT(shown, HasSubstr("Generating samples: 100%"));
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), std::count(raw.begin(), raw.end(), '\n'));
}

TEST_F(ProgressTest, LogsThatAreFollowedShowAProgressBarNowAndThen) {
  sandbox_.SetEnvironment("STAND_IN_STEP_SECONDS=0.3");
  sandbox_.Write("w.yaml",
                 "version: 1\nname: w\nstages:\n  render: {uses: inference, with: {model: cosmos-transfer2.5, "
                 "keep_input_resolution: false, " +
                     repo_.Parameters() + ", " + Transfer("a city") + "}}\n");
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("the log to be there", [&] { return !sandbox_.Engine({"logs", "rs_test", "--raw"}).out.empty(); });
  const auto begin = std::chrono::steady_clock::now();
  const std::string shown = sandbox_.Engine({"logs", "rs_test", "render", "-f"}).out;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(sandbox_.Wait(engine), 0);
  EXPECT_LE(std::count(shown.begin(), shown.end(), '\r'), took.count() + 1);
  const std::string raw = sandbox_.Read(Stage()["log_path"].get<std::string>());
  EXPECT_GT(std::count(raw.begin(), raw.end(), '\r'), 1);
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), std::count(raw.begin(), raw.end(), '\n'));
  EXPECT_THAT(shown, HasSubstr("Generating samples: 100%"));
}

}  // namespace
}  // namespace cosmos::testing
