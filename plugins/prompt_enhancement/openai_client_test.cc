#include "prompt_enhancement/openai_client.h"

#include <gmock/gmock.h>

#include <ctime>
#include <thread>

#include "common/http_server_fixture.h"
#include "prompt_enhancement/backend.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kKey = "sk-gold/4711";

std::string Good(const std::string& prompt) {
  return Json{{"model", "m"}, {"choices", {{{"message", {{"content", prompt}}}, {"finish_reason", "stop"}}}}}.dump();
}

class OpenAiClientTest : public ::testing::Test {
 protected:
  // On loopback, whatever proxy the tests run behind.
  OpenAiClientTest() { ::setenv("no_proxy", "*", 1); }

  OpenAiClient Client() {
    return {server_, &interrupt_, [this](sdk::LogLevel, const std::string& text) { log_ += text + "\n"; },
            [this](milliseconds duration) {
              waits_.push_back(static_cast<double>(duration.count()) / 1000);
              interrupt_.Check();
            }};
  }

  // The prompt, or the failure's kind and message.
  std::string Ask() {
    try {
      return Client().Ask("{}").prompt;
    } catch (const BackendFailure& failure) {
      return failure.kind() + ": " + failure.message();
    } catch (const sdk::Cancelled&) {
      return "cancelled";
    }
  }

  HttpServer http_;
  Interrupt interrupt_;
  OpenAiClient::Server server_{http_.url() + "/v1", kKey, milliseconds(10 * 60 * 1000), 3, milliseconds(60 * 1000)};
  std::vector<double> waits_;
  std::string log_;
};

TEST_F(OpenAiClientTest, AsksOnceAndReadsTheAnswer) {
  http_.Add({200, Good("a street"), {}});
  EXPECT_EQ(Client().Ask(R"({"a": 1})").prompt, "a street");
  ASSERT_THAT(http_.requests(), SizeIs(1));
  const HttpServer::Request request = http_.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/v1/chat/completions");
  EXPECT_EQ(request.body, R"({"a": 1})");
  EXPECT_EQ(request.headers.at("content-type"), "application/json");
  EXPECT_EQ(request.headers.at("authorization"), std::string("Bearer ") + kKey);
  EXPECT_THAT(waits_, IsEmpty());
}

TEST_F(OpenAiClientTest, SendsLargeBodiesAndNoKeyWhenThereIsNone) {
  http_.Add({200, Good("a street"), {}});
  server_.api_key = "";
  server_.base_url += "/";
  const std::string body(3 << 20, 'x');
  EXPECT_EQ(Client().Ask(body).prompt, "a street");
  ASSERT_THAT(http_.requests(), SizeIs(1));
  EXPECT_EQ(http_.requests()[0].path, "/v1/chat/completions");
  EXPECT_EQ(http_.requests()[0].body, body);
  EXPECT_EQ(http_.requests()[0].headers.count("authorization"), 0u);
}

TEST_F(OpenAiClientTest, WaitsAsLongAsTheServerAsks) {
  http_.Add({429, "slow down", {{"Retry-After", "7"}}});
  http_.Add({200, Good("a street"), {}});
  EXPECT_EQ(Ask(), "a street");
  EXPECT_THAT(waits_, ElementsAre(7));
  EXPECT_THAT(log_, HasSubstr("attempt 1 of 3: the server at " + http_.url() +
                              "/v1 answered with HTTP status 429: slow down; trying again in 7 s"));
}

TEST_F(OpenAiClientTest, WaitsUntilTheTimeThatTheServerNames) {
  server_.max_wait = std::chrono::hours(2);
  const std::time_t at = std::time(nullptr) + 3600;
  char date[64];
  std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&at));
  http_.Add({429, "", {{"Retry-After", date}}});
  http_.Add({200, Good("a street"), {}});
  EXPECT_EQ(Ask(), "a street");
  EXPECT_THAT(waits_, ElementsAre(AllOf(Gt(60), Le(3601))));
}

TEST_F(OpenAiClientTest, WaitsNoLongerThanTheMostAllowed) {
  server_.max_wait = milliseconds(1500);
  server_.attempts = 4;
  http_.Add({429, "", {{"Retry-After", "86400"}}});
  http_.Add({503, "", {}});
  http_.Add({503, "", {}});
  http_.Add({200, Good("a street"), {}});
  EXPECT_EQ(Ask(), "a street");
  ASSERT_THAT(waits_, SizeIs(3));
  EXPECT_EQ(waits_[0], 1.5);
  EXPECT_THAT(waits_, Each(Le(1.5)));
}

TEST_F(OpenAiClientTest, WaitsTwiceAsLongEachTimeAndALittleByChance) {
  server_.attempts = 5;
  for (int i = 0; i < 4; ++i) http_.Add({500, "", {}});
  http_.Add({200, Good("a street"), {}});
  EXPECT_EQ(Ask(), "a street");
  ASSERT_THAT(waits_, SizeIs(4));
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(waits_[static_cast<std::size_t>(i)], AllOf(Ge(0.5 * (1 << i)), Le(1 << i))) << i;
  }
}

TEST_F(OpenAiClientTest, GivesUpAfterTheLastAttempt) {
  for (int i = 0; i < 3; ++i) http_.Add({503, R"({"error": {"message": "overloaded"}})", {}});
  EXPECT_EQ(Ask(), "plugin_error: the server at " + http_.url() +
                       "/v1 answered with HTTP status 503: overloaded (attempt 3); try again later, or raise attempts");
  EXPECT_THAT(http_.requests(), SizeIs(3));
}

TEST_F(OpenAiClientTest, EveryOtherStatusIsFinal) {
  http_.Add({401, R"({"error": {"message": "Incorrect API key"}})", {}});
  EXPECT_EQ(Ask(), "plugin_error: the server at " + http_.url() +
                       "/v1 answered with HTTP status 401: Incorrect API key; check api_key");
  http_.Add({404, R"({"error": "model 'm' not found"})", {}});
  EXPECT_THAT(Ask(), HasSubstr("404: model 'm' not found; check base_url and model"));
  http_.Add({400, "", {}});
  EXPECT_THAT(Ask(), HasSubstr("HTTP status 400; check the parameters"));
  http_.Add({200, "no JSON", {}});
  EXPECT_THAT(Ask(), HasSubstr("output_invalid: the server's answer is no JSON: no JSON"));
  EXPECT_THAT(http_.requests(), SizeIs(4));
}

TEST_F(OpenAiClientTest, LostConnectionsAreTriedAgain) {
  http_.Add({200, Good("half a street"), {}, false, true});
  http_.Add({200, Good("a street"), {}});
  EXPECT_EQ(Ask(), "a street");
  EXPECT_THAT(log_, HasSubstr("no usable answer from the server at " + http_.url()));
}

TEST_F(OpenAiClientTest, AServerThatIsNotThereIsSaidToBe) {
  std::string url;
  {
    const HttpServer gone;
    url = gone.url();
  }
  server_.base_url = url;
  server_.attempts = 2;
  EXPECT_THAT(Ask(), AllOf(HasSubstr("connection_lost: no usable answer from the server at " + url),
                           HasSubstr("(attempt 2)"), HasSubstr("check base_url")));
  EXPECT_THAT(waits_, SizeIs(1));
}

TEST_F(OpenAiClientTest, ARequestHasItsTime) {
  HttpServer::Reply never;
  never.never = true;
  http_.Add(never);
  http_.Add(never);
  server_.timeout = milliseconds(50);
  server_.attempts = 2;
  EXPECT_EQ(Ask(), "timeout: the server at " + http_.url() +
                       "/v1 has not answered in 0.05 s (attempt 2); raise timeout, or see why the server is slow");
}

TEST_F(OpenAiClientTest, RedirectsCarryNothingToAnotherHost) {
  HttpServer other;
  http_.Add({302, "", {{"Location", other.url() + "/v1/chat/completions"}}});
  EXPECT_EQ(Ask(), "plugin_error: the server at " + http_.url() + "/v1 answered with HTTP status 302, which leads to " +
                       other.url() +
                       "/v1/chat/completions; give that place as base_url if it is to be trusted with prompt and key");
  EXPECT_THAT(other.requests(), IsEmpty());
}

TEST_F(OpenAiClientTest, CancellingEndsARequest) {
  HttpServer::Reply never;
  never.never = true;
  http_.Add(never);
  std::thread other([&] {
    http_.AwaitRequests(1);
    interrupt_.Set();
  });
  EXPECT_EQ(Ask(), "cancelled");
  other.join();
  EXPECT_EQ(Ask(), "cancelled");  // and nothing begins any more
  EXPECT_THAT(http_.requests(), SizeIs(1));
}

TEST_F(OpenAiClientTest, CancellingEndsAWait) {
  http_.Add({429, "", {{"Retry-After", "50"}}});
  OpenAiClient client(
      server_, &interrupt_, [](sdk::LogLevel, const std::string&) {},
      [&](milliseconds duration) { interrupt_.Sleep(duration * 1000); });
  std::thread other([&] {
    http_.AwaitRequests(1);
    interrupt_.Set();
  });
  EXPECT_THROW(client.Ask("{}"), sdk::Cancelled);
  other.join();
}

TEST_F(OpenAiClientTest, TheKeyIsInNothingThatComesBack) {
  const std::string key = kKey;
  http_.Add({429, R"({"error": {"message": "key )" + key + R"( has no quota"}})", {}});
  http_.Add({302, "", {{"Location", http_.url() + "/?key=" + key}}});
  const std::string redirected = Ask();
  EXPECT_THAT(redirected, AllOf(HasSubstr("/?key=***"), Not(HasSubstr(key))));
  EXPECT_THAT(log_, AllOf(HasSubstr("key *** has no quota"), Not(HasSubstr(key))));

  // Where a long text is cut, half of the key must not stay either; and JSON may write a `/` as `\/`.
  for (const std::string& body :
       {std::string(595, 'x') + key, R"({"error": ")" + std::string(595, 'x') + R"(sk-gold\/4711"})"}) {
    http_.Add({400, body, {}});
    EXPECT_THAT(Ask(), AllOf(HasSubstr("xxx"), Not(HasSubstr("sk-g"))));
  }
  http_.Add({200, Good("a street with " + key), {}});
  EXPECT_EQ(Ask(), "a street with ***");
  http_.Add({200, "not JSON, " + key, {}});
  EXPECT_THAT(Ask(), HasSubstr("is no JSON: not JSON, ***"));
}

TEST_F(OpenAiClientTest, RefusesAKeyThatNoHeaderCanHold) {
  for (const char* key : {"two words", "line\nX-Evil: 1", "\xC3\xA4"}) {
    server_.api_key = key;
    try {
      Client();
      FAIL() << key;
    } catch (const sdk::StageFailure& failure) {
      EXPECT_EQ(failure.kind(), "invalid_input");
      EXPECT_THAT(failure.message(), Not(HasSubstr(key)));
    }
  }
}

TEST_F(OpenAiClientTest, AnswersBeyondAllMeasureAreRefused) {
  http_.Add({200, std::string(17 << 20, 'x'), {}});
  EXPECT_THAT(Ask(), HasSubstr("plugin_error: no usable answer from the server at " + http_.url() +
                               "/v1: the answer has more than 16 MiB"));
  EXPECT_THAT(http_.requests(), SizeIs(1));
}

TEST_F(OpenAiClientTest, KeepsWhatItsRequestsCameTo) {
  http_.Add({503, "", {}});
  http_.Add({200, Good("a street"), {}});
  OpenAiClient client = Client();
  client.Ask("{}");
  ASSERT_EQ(client.requests().size(), 2u);
  EXPECT_EQ(client.requests().at(0).at("status"), 503);
  EXPECT_EQ(client.requests().at(1).at("status"), 200);
  EXPECT_GE(client.requests().at(1).at("seconds"), 0);
}

}  // namespace
}  // namespace cosmos::plugins
