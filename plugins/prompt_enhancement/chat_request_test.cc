#include "prompt_enhancement/chat_request.h"

#include <gmock/gmock.h>

#include "prompt_enhancement/backend.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ChatQuestion Question() {
  ChatQuestion question;
  question.model = "m";
  question.system_prompt = "be brief";
  question.prompt = "rain \"at\" night\n\xF0\x9F\x8C\xA7";
  question.temperature = 0.5;
  question.max_tokens = 100;
  return question;
}

// The failure's kind and message.
std::string Refused(const std::string& body) {
  try {
    return "accepted: " + ReadChatAnswer(body).prompt;
  } catch (const BackendFailure& failure) {
    return failure.kind() + ": " + failure.message();
  }
}

Json AnswerOf(const Json& content, const std::string& finish_reason = "stop") {
  return {{"model", "m-2"},
          {"choices", {{{"index", 0}, {"finish_reason", finish_reason}, {"message", {{"content", content}}}}}},
          {"usage", {{"prompt_tokens", 7}, {"total_tokens", 9}, {"details", {{"cached", 1}}}, {"note", "x"}}}};
}

TEST(ChatBody, AsksWithPlainTextsWhenThereAreNoFrames) {
  EXPECT_EQ(Json::parse(ChatBody(Question())),
            Json({{"model", "m"},
                  {"messages",
                   {{{"role", "system"}, {"content", "be brief"}},
                    {{"role", "user"}, {"content", "rain \"at\" night\n\xF0\x9F\x8C\xA7"}}}},
                  {"temperature", 0.5},
                  {"max_tokens", 100},
                  {"stream", false}}));
}

TEST(ChatBody, SendsSeedAndFrames) {
  ChatQuestion question = Question();
  question.seed = 0;
  question.frames = {"", "a", "ab", "abc", std::string("\xFF\xD8\x00\xFB", 4)};
  const Json body = Json::parse(ChatBody(question));
  EXPECT_EQ(body.at("seed"), 0);
  const Json& parts = body.at("messages").at(1).at("content");
  ASSERT_EQ(parts.size(), 7u);
  const char* encoded[] = {"", "YQ==", "YWI=", "YWJj", "/9gA+w=="};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(parts.at(i + 1), Json({{"type", "image_url"},
                                     {"image_url", {{"url", std::string("data:image/jpeg;base64,") + encoded[i]}}}}));
  }
  EXPECT_THAT(parts.at(6).at("text").get<std::string>(), HasSubstr(question.prompt));
}

TEST(ReadChatAnswer, TakesPromptModelAndTokens) {
  const ChatAnswer answer = ReadChatAnswer(AnswerOf(" a rainy street \n").dump());
  EXPECT_EQ(answer.prompt, "a rainy street");
  EXPECT_EQ(answer.model, "m-2");
  EXPECT_EQ(answer.usage, Json({{"prompt_tokens", 7}, {"total_tokens", 9}}));
}

TEST(ReadChatAnswer, TakesContentInParts) {
  const Json parts = {{{"type", "text"}, {"text", "a "}}, {{"type", "image"}}, {{"type", "text"}, {"text", "street"}}};
  EXPECT_EQ(ReadChatAnswer(AnswerOf(parts).dump()).prompt, "a street");
}

TEST(ReadChatAnswer, SaysWhatIsWrongAndWhatToDo) {
  EXPECT_EQ(Refused("<html>404</html>"),
            "output_invalid: the server's answer is no JSON: <html>404</html>; check that base_url leads to an API, "
            "such as …/v1");
  EXPECT_THAT(Refused("[]"), HasSubstr("has no choices;"));
  EXPECT_THAT(Refused(R"({"choices": []})"), HasSubstr("has no choices;"));
  EXPECT_THAT(Refused(R"({"choices": "x"})"), HasSubstr("has no choices;"));
  EXPECT_THAT(Refused(R"({"error": {"message": "no such model"}})"), HasSubstr("has no choices: no such model;"));
  EXPECT_THAT(Refused(R"({"choices": [1]})"), HasSubstr("has no message"));
  EXPECT_THAT(Refused(R"({"choices": [{"text": "x"}]})"), HasSubstr("has no message"));
  for (const Json& empty : {Json(), Json(""), Json(" \n"), Json(3), Json::array(), Json("<think>hm</think>")}) {
    EXPECT_THAT(Refused(AnswerOf(empty).dump()), HasSubstr("has no text besides reasoning; raise max_tokens")) << empty;
  }
  EXPECT_EQ(Refused(AnswerOf("a rainy str", "length").dump()),
            "output_invalid: the server's answer was cut off (finish_reason is 'length'); raise max_tokens, or the "
            "context length of the server");
  EXPECT_EQ(Refused(AnswerOf(Json(), "content_filter").dump()),
            "guardrail_blocked: the server's content filter blocked the answer; reword the prompt");
  Json refusal = AnswerOf(Json());
  refusal["choices"][0]["message"]["refusal"] = "I cannot.";
  EXPECT_THAT(Refused(refusal.dump()), HasSubstr("is a refusal: I cannot."));
  EXPECT_THAT(Refused(AnswerOf(std::string(16001, 'a')).dump()), HasSubstr("no usable prompt"));
  EXPECT_THAT(Refused(AnswerOf(std::string("a\0b", 3)).dump()), HasSubstr("no usable prompt"));
}

TEST(ReadChatAnswer, RefusesDeepNesting) {
  const std::string deep(60'000, '[');
  EXPECT_THAT(Refused(deep), HasSubstr("nests more than 100 levels deep"));
  EXPECT_THAT(Refused("{\"choices\": " + deep + std::string(60'000, ']') + "}"),
              HasSubstr("nests more than 100 levels"));
  EXPECT_THAT(ErrorIn("{\"error\": " + deep + std::string(60'000, ']') + "}"), HasSubstr("[[["));
}

TEST(ErrorIn, FindsTheServersOwnWords) {
  EXPECT_EQ(ErrorIn(R"({"error": {"message": "Incorrect key", "type": "x"}})"), "Incorrect key");
  EXPECT_EQ(ErrorIn(R"({"error": "model 'x' not found"})"), "model 'x' not found");
  EXPECT_EQ(ErrorIn(R"({"object": "error", "message": "too long"})"), "too long");
  EXPECT_EQ(ErrorIn(R"({"detail": [{"msg": "field required"}]})"), R"([{"msg":"field required"}])");
  EXPECT_EQ(ErrorIn(" <h1>Bad Gateway</h1>\n"), "<h1>Bad Gateway</h1>");
  EXPECT_EQ(ErrorIn("{}"), "");
  EXPECT_EQ(ErrorIn("3"), "");
  EXPECT_EQ(ErrorIn(""), "");
}

TEST(ErrorIn, CutsAtACharacter) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "ä";
  const std::string cut = ErrorIn(Json{{"error", "x" + text}}.dump());
  EXPECT_LE(cut.size(), 610u);
  EXPECT_THAT(cut, AllOf(StartsWith("xää"), ::testing::EndsWith("ä…")));
}

TEST(PromptIn, LeavesReasoningAndWrappingOut) {
  EXPECT_EQ(PromptIn("a street"), "a street");
  EXPECT_EQ(PromptIn("<think>\nLet me \"see\".\n</think>\n\na street"), "a street");
  EXPECT_EQ(PromptIn("Let me see.</think>a street"), "a street");
  EXPECT_EQ(PromptIn("<think>a</think>b<think>c</think> \"a street\" "), "a street");
  EXPECT_EQ(PromptIn("a street<think>was it good?"), "a street");
  EXPECT_EQ(PromptIn("<think>never ends"), "");
  EXPECT_EQ(PromptIn("\"a street\""), "a street");
  EXPECT_EQ(PromptIn("“a street”"), "a street");
  EXPECT_EQ(PromptIn("'a street'"), "a street");
  EXPECT_EQ(PromptIn("```\na street\n```"), "a street");
  EXPECT_EQ(PromptIn("```text\n\"a street\"\n```"), "a street");
}

TEST(PromptIn, KeepsQuotesThatBelongToThePrompt) {
  for (const char* prompt : {"\"OPEN\" and \"CLOSED\"", "a sign \"OPEN\"", "\"", "first line\nsecond line", "'tis"}) {
    EXPECT_EQ(PromptIn(prompt), prompt);
  }
}

}  // namespace
}  // namespace cosmos::plugins
