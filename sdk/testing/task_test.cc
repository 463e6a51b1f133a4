// SPDX-License-Identifier: BSL-1.0
#include <gmock/gmock.h>

#include <cosmos/plugin.hpp>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>

#include "testing/fake_host.h"

namespace cosmos::sdk {
namespace {

using ::testing::ElementsAre;
using testing::FakeHost;
using ::testing::HasSubstr;

class TaskTest : public ::testing::Test {
 protected:
  FakeHost host_;
  Services services_ = Services::From(*host_.host(), {});
  Task task_{services_, reinterpret_cast<cosmos_task*>(&host_), R"({"stage": "render", "attempt": 2})"};
};

TEST_F(TaskTest, ReadsItsContext) {
  EXPECT_EQ(task_.context().stage, "render");
  EXPECT_EQ(task_.context().attempt, 2);
  EXPECT_EQ(task_.context().instance, "");
}

TEST_F(TaskTest, TellsTheHost) {
  task_.Log(LogLevel::kWarning, "careful");
  task_.Progress(3, 4, "mixing");
  ASSERT_EQ(host_.log.size(), 1u);
  EXPECT_EQ(host_.log[0].level, COSMOS_LOG_WARNING);
  EXPECT_EQ(host_.log[0].text, "careful");
  ASSERT_EQ(host_.progress.size(), 1u);
  EXPECT_EQ(host_.progress[0].done, 3);
  EXPECT_EQ(host_.progress[0].total, 4);
  EXPECT_EQ(host_.progress[0].phase, "mixing");
}

TEST_F(TaskTest, TellsWhatIsLeft) {
  task_.Progress(1, 4, "mixing", 90);
  ASSERT_EQ(host_.progress.size(), 1u);
  EXPECT_EQ(host_.progress[0].phase, "mixing");
  EXPECT_EQ(host_.progress[0].eta, 90);
  EXPECT_TRUE(host_.progress[0].has_eta);
}

TEST_F(TaskTest, AnOlderHostIsToldTheRest) {
  cosmos_progress_1 older = *services_.progress;
  older.struct_size = offsetof(cosmos_progress_1, report_eta);
  older.report_eta = nullptr;
  services_.progress = &older;
  task_.Progress(1, 4, "mixing", 90);
  ASSERT_EQ(host_.progress.size(), 1u);
  EXPECT_EQ(host_.progress[0].done, 1);
  EXPECT_FALSE(host_.progress[0].has_eta);
}

TEST_F(TaskTest, KeepsAndFindsTimings) {
  const Json key = {{"model", "m"}};
  EXPECT_TRUE(task_.FindTimings(key).empty());
  task_.KeepTimings(key, {{"loading", 1}});
  task_.KeepTimings(key, {{"loading", 2}});
  task_.KeepTimings({{"model", "n"}}, {{"loading", 3}});
  EXPECT_THAT(task_.FindTimings(key), ElementsAre(Json{{"loading", 2}}, Json{{"loading", 1}}));
}

TEST_F(TaskTest, KeepsPromptsAndFiles) {
  EXPECT_EQ(task_.PutPrompt("rain", "blur", "ps_0"), "ps_1");
  EXPECT_EQ(host_.prompts[0], (Json{{"text", "rain"}, {"negative_prompt", "blur"}, {"parent", "ps_0"}}));
  const std::string file = task_.Folder() + "/record.json";
  EXPECT_THROW(task_.AddArtifact(file), std::runtime_error);
  std::ofstream(file) << "{}";
  task_.AddArtifact(file);
  EXPECT_THAT(host_.artifacts, ElementsAre(file));
}

TEST_F(TaskTest, AJobFindsItsFiles) {
  JobSpec spec;
  spec.script = "cat \"$COSMOS_OUTPUT_DIR/spec.json\"";
  spec.files["spec"] = {"spec.json", "{\"seed\": 1}"};
  task_.RunJob(spec);
  EXPECT_EQ(host_.job_log(), "{\"seed\": 1}");
}

TEST(JobSpecTest, TellsWhatAVideoMustBeLike) {
  JobSpec spec;
  spec.argv = {"true"};
  spec.outputs["plain"] = {"a.mp4", "video", false};
  spec.outputs["video"] = {"b.mp4", "video", false, {{"in.mp4"}, 93, "in.mp4", {{{1280, 704}}}}};
  const Json outputs = spec.ToJson().at("outputs");
  EXPECT_FALSE(outputs.at("plain").contains("expect"));
  EXPECT_EQ(outputs.at("video").at("expect"), (Json{{"as_long_as", {"in.mp4"}},
                                                    {"frames", 93},
                                                    {"size_of", "in.mp4"},
                                                    {"sizes", Json::array({Json::array({1280, 704})})}}));
}

TEST_F(TaskTest, AsksForTheContainersOfARun) {
  host_.containers["rs_1"] = Json::array({{{"name", "cosmos-1"}, {"status", "exited"}, {"oom_killed", true}}});
  EXPECT_EQ(task_.Containers("rs_1"), host_.containers["rs_1"]);
  try {
    task_.Containers("rs_2");
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "no such run");
  }
}

TEST_F(TaskTest, LooksAtRunsAndTargets) {
  host_.targets["here"] = FakeHost::Shell({{"WORD", "from here"}});
  const Task::Output output = task_.RunOnTarget("here", "echo $WORD; exit 4", 10'000);
  EXPECT_EQ(output.output, "from here\n");
  EXPECT_EQ(output.exit_status, 4);
  EXPECT_FALSE(output.timed_out);
  EXPECT_TRUE(task_.RunOnTarget("here", "sleep 100", 100).timed_out);
  try {
    task_.RunOnTarget("nowhere", "true", 100);
    FAIL();
  } catch (const StageFailure& failure) {
    EXPECT_EQ(failure.kind(), "connection_lost");
  }
  host_.runs["rs_1"] = {{"status", "failed"}};
  host_.commands["rs_1"] = Json::array({{{"what", "true"}}});
  host_.secrets = {"gold"};
  EXPECT_EQ(task_.FactsOfRun("rs_1").at("status"), "failed");
  EXPECT_EQ(task_.Commands("rs_1", "here", 5).size(), 1u);
  EXPECT_EQ(task_.Redact("all the gold"), "all the ***");
}

TEST_F(TaskTest, AnOlderHostSaysThatItCannotLook) {
  cosmos_target_1 older = *services_.target;
  older.struct_size = offsetof(cosmos_target_1, run);
  cosmos_files_1 files = *services_.files;
  files.struct_size = offsetof(cosmos_files_1, redact);
  Services services = services_;
  services.target = &older;
  services.files = &files;
  Task task{services, reinterpret_cast<cosmos_task*>(&host_), R"({"stage": "render", "attempt": 1})"};
  for (const auto& call : {std::function<void()>([&] { task.RunOnTarget("here", "true", 1); }),
                           std::function<void()>([&] { task.Commands("rs_1", "", 1); }),
                           std::function<void()>([&] { task.Redact("x"); })}) {
    try {
      call();
      FAIL();
    } catch (const std::runtime_error& e) {
      EXPECT_THAT(e.what(), HasSubstr("older than SDK 1.3"));
    }
  }
}

TEST_F(TaskTest, AMissingInputIsAFailureAndNotABug) {
  try {
    task_.Input("/no/such/file.mp4");
    FAIL();
  } catch (const StageFailure& failure) {
    EXPECT_EQ(failure.kind(), "invalid_input");
    EXPECT_EQ(failure.message(), "no such file");
  }
}

TEST_F(TaskTest, WithoutTheServiceItIsSilentOrSaysWhichOne) {
  const Services none;
  Task task(none, nullptr, "{}");
  task.Log(LogLevel::kInfo, "nobody hears");
  task.Progress(1, 2);
  task.Progress(1, 2, "", 3);
  task.KeepTimings({{"model", "m"}}, {{"loading", 1}});
  EXPECT_TRUE(task.FindTimings({{"model", "m"}}).empty());
  try {
    task.Folder();
    FAIL();
  } catch (const std::logic_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("cosmos.files/1"));
  }
}

}  // namespace
}  // namespace cosmos::sdk
