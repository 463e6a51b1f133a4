#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/http_server_fixture.h"
#include "common/video_fixture.h"

namespace cosmos::plugins {
namespace {

using ::testing::HasSubstr;

// The launcher `http`, against a server that answers as vLLM-Omni's videos API does.
class VideoServerTest : public VideoFixture {
 protected:
  Json Parameters(const Json& more = Json::object()) const {
    Json parameters = {{"model", "cosmos-predict2.5"},
                       {"prompt", "a city"},
                       {"launcher", "http"},
                       {"server", server_.url()},
                       {"num_output_frames", 3}};
    parameters.update(more);
    return parameters;
  }
  void AddJson(const Json& json, unsigned status = 200) { server_.Add({status, json.dump(), {}, false, false}); }
  void AddVideo() {
    std::ostringstream bytes;
    bytes << std::ifstream(Clip("made.mp4", "testsrc=s=160x90:r=12:d=0.25")).rdbuf();
    server_.Add({200, bytes.str(), {}, false, false});
  }
  // Health, the request, two answers to the question how far it is, and the video.
  void AddGoodAnswers() {
    AddJson("ok");
    AddJson({{"id", "video_7"}, {"object", "video"}, {"status", "queued"}});
    AddJson({{"id", "video_7"}, {"status", "in_progress"}, {"progress", 40}});
    AddJson({{"id", "video_7"}, {"status", "completed"}, {"progress", 100}});
    AddVideo();
  }

  HttpServer server_;
  const cosmos_plugin_entry_t& plugin_ = sdk::testing::LoadPlugin(PLUGIN_FILE);
};

TEST_F(VideoServerTest, AsksWaitsAndBringsTheVideo) {
  AddGoodAnswers();
  host_.piece = 16;
  const std::string prompt = "it's \"red\" @file <x; a,b $(touch pwned)\nline";
  const Result result = host_.Run(plugin_, Parameters({{"prompt", prompt}}));
  ASSERT_EQ(result.status, COSMOS_OK) << result.text << host_.job_log();
  EXPECT_EQ(Frames(result.json.at("video").get<std::string>()), 3);
  const auto requests = server_.requests();
  ASSERT_EQ(requests.size(), 5u);
  EXPECT_EQ(requests[1].method + " " + requests[1].path, "POST /v1/videos");
  EXPECT_THAT(requests[1].body, HasSubstr(prompt));
  EXPECT_THAT(requests[1].body, HasSubstr("name=\"num_frames\""));
  EXPECT_EQ(requests[2].path, "/v1/videos/video_7");
  EXPECT_EQ(requests[4].path, "/v1/videos/video_7/content");
  ASSERT_GE(host_.progress.size(), 2u);
  EXPECT_EQ(host_.progress.back().done, 100);
}

TEST_F(VideoServerTest, SendsThePictureItStartsFrom) {
  AddGoodAnswers();
  std::ofstream(Path("a,b;c.png")) << "the picture";
  const Result result =
      host_.Run(plugin_, Parameters({{"inference_type", "image2world"}, {"input", Path("a,b;c.png")}}));
  ASSERT_EQ(result.status, COSMOS_OK) << result.text << host_.job_log();
  EXPECT_THAT(server_.requests()[1].body, HasSubstr("the picture"));
}

TEST_F(VideoServerTest, TheServersReasonStandsInTheLog) {
  AddJson("ok");
  AddJson({{"error", {{"message", "the prompt is too long"}}}}, 400);
  EXPECT_EQ(host_.Run(plugin_, Parameters()).status, COSMOS_FAILED);
  EXPECT_THAT(host_.job_log(), HasSubstr("the prompt is too long"));
}

TEST_F(VideoServerTest, AVideoThatCannotBeMadeIsAFailure) {
  AddJson("ok");
  AddJson({{"id", "v"}, {"status", "queued"}});
  AddJson({{"id", "v"}, {"status", "failed"}, {"error", "CUDA out of memory"}});
  EXPECT_EQ(host_.Run(plugin_, Parameters()).status, COSMOS_FAILED);
  EXPECT_THAT(host_.job_log(), HasSubstr("CUDA out of memory"));
}

TEST_F(VideoServerTest, AQuestionThatIsNotAnsweredIsAskedAgain) {
  AddJson("ok");
  AddJson({{"id", "v"}, {"status", "queued"}});
  AddJson("busy", 503);
  AddJson({{"id", "v"}, {"status", "completed"}});
  AddVideo();
  EXPECT_EQ(host_.Run(plugin_, Parameters()).status, COSMOS_OK) << host_.job_log();
}

TEST_F(VideoServerTest, AnAnswerWithoutEndIsRefused) {
  AddJson("ok");
  AddJson({{"id", "v"}, {"filler", std::string(40 << 20, 'x')}});
  EXPECT_EQ(host_.Run(plugin_, Parameters()).status, COSMOS_FAILED);
  EXPECT_THAT(host_.job_log(), HasSubstr("the server refused the request"));
  EXPECT_LT(host_.job_log().size(), 200'000u);
}

TEST_F(VideoServerTest, AnIdIsNoWayToAnotherPlace) {
  for (const char* id : {"../../admin", "v?x=1", "[1-1000000]", "{a,b}", "v v", ".", "-o/tmp/x", "$(touch pwned)"}) {
    AddJson("ok");
    AddJson({{"id", id}, {"status", "queued"}});
    EXPECT_EQ(host_.Run(plugin_, Parameters()).status, COSMOS_FAILED) << id;
    EXPECT_THAT(host_.job_log(), HasSubstr("gave no id that can be one")) << id;
  }
  EXPECT_EQ(server_.requests().size(), 16u);
}

// Whoever ends the job ends the server's work, so that no GPU works for nobody. The token is on no command line.
TEST_F(VideoServerTest, EndedItTakesItsJobOffTheServer) {
  AddJson("ok");
  AddJson({{"id", "v"}, {"status", "queued"}});
  for (int i = 0; i < 100; ++i) AddJson({{"id", "v"}, {"status", "in_progress"}});
  std::ofstream(Path("job.sh")) << host_.Preview(plugin_, Parameters()).json.at("script").get<std::string>();
  const pid_t job = fork();
  if (job == 0) {
    setsid();
    setenv("VIDEO_SERVER_TOKEN", "gold-token", 1);
    execl("/bin/sh", "sh", Path("job.sh").c_str(), nullptr);
    _exit(127);
  }
  server_.AwaitRequests(3);
  kill(-job, SIGTERM);
  int status = 0;
  ASSERT_EQ(waitpid(job, &status, 0), job);
  EXPECT_EQ(server_.requests().back().method, "DELETE");
  EXPECT_EQ(server_.requests().back().headers.at("authorization"), "Bearer gold-token");
}

}  // namespace
}  // namespace cosmos::plugins
