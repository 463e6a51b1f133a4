// The back end `openai` as the engine calls it, against a real server.
#include <gmock/gmock.h>

#include <cosmos/text.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "common/http_server_fixture.h"
#include "common/video_fixture.h"

namespace cosmos::plugins {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kKey = "sk-gold-4711";

class OpenAiBackendTest : public VideoFixture {
 protected:
  // On loopback, whatever proxy the tests run behind.
  OpenAiBackendTest() { ::setenv("no_proxy", "*", 1); }

  Json Parameters(const Json& more = Json::object()) const {
    Json parameters = {
        {"backend", "openai"}, {"prompt", "rain"}, {"negative_prompt", "blur"}, {"api_key", kKey},
        {"model", "m"},        {"attempts", 2},    {"max_wait", "10ms"},        {"base_url", http_.url() + "/v1"}};
    parameters.update(more);
    return parameters;
  }

  void Answer(const std::string& prompt) {
    http_.Add({200,
               Json{{"model", "m-2026"},
                    {"choices", {{{"message", {{"content", prompt}}}, {"finish_reason", "stop"}}}},
                    {"usage", {{"prompt_tokens", 200}, {"completion_tokens", 30}}}}
                   .dump(),
               {}});
  }

  static Json ReadRecord(const Result& result) {
    return Json::parse(std::ifstream(result.json.at("record").get<std::string>()));
  }

  // All that the plugin said and wrote, but for the request itself.
  std::string Everything(const Result& result) const {
    std::string all = result.text + host_.LogText() + Json(host_.prompts).dump();
    for (const auto& report : host_.progress) all += report.phase;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(host_.folder())) {
      all += entry.path();
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
  }

  const cosmos_plugin_entry_t& plugin_ = sdk::testing::LoadPlugin(PLUGIN_FILE);
  HttpServer http_;
};

TEST_F(OpenAiBackendTest, EnhancesThePromptAndKeepsBoth) {
  Answer("<think>What would rain look like?</think>\"heavy rain on a street\"");
  const Result result = host_.Run(plugin_, Parameters());
  ASSERT_EQ(result.status, COSMOS_OK) << result.text;
  EXPECT_EQ(result.json.at("prompt"), "heavy rain on a street");
  EXPECT_EQ(result.json.at("original_prompt"), "rain");
  EXPECT_EQ(result.json.at("negative_prompt"), "blur");
  EXPECT_EQ(result.json.at("enhanced"), true);
  EXPECT_EQ(result.json.at("failure"), "");
  EXPECT_THAT(host_.prompts,
              ElementsAre(Json{{"text", "rain"}, {"negative_prompt", "blur"}, {"parent", ""}},
                          Json{{"text", "heavy rain on a street"}, {"negative_prompt", "blur"}, {"parent", "ps_1"}}));

  const Json record = ReadRecord(result);
  EXPECT_EQ(record.at("backend"), "openai");
  EXPECT_EQ(record.at("model"), "m-2026");
  EXPECT_EQ(record.at("usage"), Json({{"prompt_tokens", 200}, {"completion_tokens", 30}}));
  EXPECT_EQ(record.at("requests").at(0).at("status"), 200);
  EXPECT_GE(record.at("seconds"), 0);
  EXPECT_EQ(record.at("failure"), nullptr);

  const Json body = Json::parse(http_.requests().at(0).body);
  EXPECT_EQ(body.at("model"), "m");
  EXPECT_EQ(body.at("max_tokens"), 1024);
  EXPECT_EQ(body.at("temperature"), 0.7);
  EXPECT_FALSE(body.contains("seed"));
  EXPECT_THAT(body.at("messages").at(0).at("content").get<std::string>(), HasSubstr("video generation model"));
  EXPECT_EQ(body.at("messages").at(1).at("content"), "rain");
}

TEST_F(OpenAiBackendTest, SendsWhatIsAskedFor) {
  Answer("a street");
  host_.Run(plugin_, Parameters({{"system_prompt", "be brief"}, {"temperature", 0}, {"max_tokens", 64}, {"seed", 7}}));
  const Json body = Json::parse(http_.requests().at(0).body);
  EXPECT_EQ(body.at("messages").at(0).at("content"), "be brief");
  EXPECT_EQ(body.at("temperature"), 0);
  EXPECT_EQ(body.at("max_tokens"), 64);
  EXPECT_EQ(body.at("seed"), 7);
}

TEST_F(OpenAiBackendTest, SendsFramesOfTheVideo) {
  Answer("a street");
  const Json parameters = Parameters({{"video", Clip("in.mp4", "testsrc=s=160x90:r=10:d=1")}, {"images", 2}});
  ASSERT_EQ(host_.Run(plugin_, parameters).status, COSMOS_OK);
  const Json parts = Json::parse(http_.requests().at(0).body).at("messages").at(1).at("content");
  ASSERT_EQ(parts.size(), 4u);
  for (int i : {1, 2}) {
    // A JPEG file begins with FF D8 FF.
    EXPECT_THAT(parts.at(i).at("image_url").at("url").get<std::string>(), StartsWith("data:image/jpeg;base64,/9j/"));
  }
  EXPECT_NE(parts.at(1), parts.at(2));
  EXPECT_THAT(parts.at(3).at("text").get<std::string>(), HasSubstr("rain"));
}

TEST_F(OpenAiBackendTest, TriesAgain) {
  http_.Add({429, "", {{"Retry-After", "1"}}});
  Answer("a street");
  const Result result = host_.Run(plugin_, Parameters());
  ASSERT_EQ(result.status, COSMOS_OK) << result.text;
  EXPECT_EQ(ReadRecord(result).at("requests").at(0).at("status"), 429);
  EXPECT_THAT(host_.LogText(), HasSubstr("attempt 1 of 2: "));
}

TEST_F(OpenAiBackendTest, FailsWithTheServersWords) {
  http_.Add({404, R"({"error": {"message": "The model `m` does not exist."}})", {}});
  const Result result = host_.Run(plugin_, Parameters());
  EXPECT_EQ(result.status, COSMOS_FAILED);
  EXPECT_EQ(result.json.at("kind"), "plugin_error");
  EXPECT_THAT(result.json.at("message"), HasSubstr("404: The model `m` does not exist."));
  EXPECT_THAT(host_.artifacts, IsEmpty());
}

TEST_F(OpenAiBackendTest, FallsBackToTheArtistsWordsWhenToldTo) {
  http_.Add({401, "no", {}});
  const Result result = host_.Run(plugin_, Parameters({{"fallback", "original"}}));
  ASSERT_EQ(result.status, COSMOS_OK) << result.text;
  EXPECT_EQ(result.json.at("prompt"), "rain");
  EXPECT_EQ(result.json.at("prompt_id"), result.json.at("original_prompt_id"));
  EXPECT_EQ(result.json.at("enhanced"), false);
  EXPECT_THAT(result.json.at("failure"), HasSubstr("HTTP status 401: no"));
  EXPECT_THAT(host_.prompts, SizeIs(1));
  const Json record = ReadRecord(result);
  EXPECT_EQ(record.at("failure").at("kind"), "plugin_error");
  EXPECT_EQ(record.at("enhanced"), false);
  EXPECT_EQ(record.at("requests").at(0).at("status"), 401);
  EXPECT_THAT(host_.LogText(), HasSubstr("going on with the artist's words"));
}

TEST_F(OpenAiBackendTest, InvalidInputNeverFallsBack) {
  std::ofstream(Path("text.mp4")) << "no video";
  for (const Json& wrong : {Json{{"video", Path("text.mp4")}}, Json{{"timeout", "soon"}}, Json{{"max_wait", 0}},
                            Json{{"api_key", "two words"}}, Json{{"prompt", std::string("a\0b", 3)}}}) {
    Json parameters = Parameters({{"fallback", "original"}});
    parameters.update(wrong);
    const Result result = host_.Run(plugin_, parameters);
    EXPECT_EQ(result.status, COSMOS_FAILED) << wrong;
    EXPECT_EQ(result.json.at("kind"), "invalid_input") << wrong;
  }
  EXPECT_THAT(http_.requests(), IsEmpty());
}

TEST_F(OpenAiBackendTest, CancellingNeverFallsBack) {
  http_.Add({429, "", {{"Retry-After", "100000"}}});
  const std::string parameters =
      sdk::testing::Completed(plugin_, Parameters({{"fallback", "original"}, {"max_wait", "1d"}})).dump();
  ASSERT_EQ(host_.Init(plugin_).status, COSMOS_OK);
  sdk::TextSink text;
  void* stage = plugin_.create(text.sink());
  std::thread other([&] {
    http_.AwaitRequests(1);
    plugin_.cancel(stage);
  });
  const std::string context = host_.context.dump();
  EXPECT_EQ(
      plugin_.run(stage, reinterpret_cast<cosmos_task*>(&host_), sdk::ToC(context), sdk::ToC(parameters), text.sink()),
      COSMOS_CANCELLED);
  other.join();
  plugin_.destroy(stage);
  EXPECT_THAT(host_.artifacts, IsEmpty());
}

TEST_F(OpenAiBackendTest, TheKeyStandsNowhere) {
  const std::string key = kKey;
  http_.Add({503, "no quota for " + key, {{key, key}}});
  Answer("a street named " + key);
  Result result = host_.Run(plugin_, Parameters());
  ASSERT_EQ(result.status, COSMOS_OK) << result.text;
  EXPECT_EQ(http_.requests().at(1).headers.at("authorization"), "Bearer " + key);
  EXPECT_EQ(Everything(result).find(key), std::string::npos);

  for (const char* fallback : {"none", "original"}) {
    http_.Add({400, R"({"error": {"message": "bad key )" + key + R"("}})", {}});
    result = host_.Run(plugin_, Parameters({{"fallback", fallback}}));
    EXPECT_THAT(result.text, HasSubstr("bad key ***"));
    EXPECT_EQ(Everything(result).find(key), std::string::npos);
  }
}

TEST_F(OpenAiBackendTest, ADryRunAsksNobody) {
  const Result preview = host_.Preview(plugin_, Parameters());
  EXPECT_EQ(preview.status, COSMOS_OK);
  EXPECT_EQ(preview.json, Json::object());
  EXPECT_THAT(http_.requests(), IsEmpty());
}

}  // namespace
}  // namespace cosmos::plugins
