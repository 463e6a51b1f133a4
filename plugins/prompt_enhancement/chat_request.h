#pragma once

#include <cosmos/text.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The bodies of OpenAI's chat completions, as its own servers and the compatible ones have them. Pure functions.
namespace cosmos::plugins {

struct ChatQuestion {
  std::string model;
  std::string system_prompt;
  std::string prompt;
  std::vector<std::string> frames;  // JPEG files
  double temperature = 0;
  int max_tokens = 0;
  std::optional<std::int64_t> seed;
};

struct ChatAnswer {
  std::string prompt;
  std::string model;                      // as the server calls it
  sdk::Json usage = sdk::Json::object();  // tokens, by the server's names
};

std::string ChatBody(const ChatQuestion& question);

// The prompt in the body of a successful response. Throws BackendFailure output_invalid when there is none.
ChatAnswer ReadChatAnswer(const std::string& body);

// The server's own words in the body of a response that tells of an error, at most some lines; "" when it has none.
std::string ErrorIn(const std::string& body);

// What a model wrote, without its reasoning (`<think>…</think>`), a code fence, quotes around the whole, and white
// space around that.
std::string PromptIn(std::string_view answer);

}  // namespace cosmos::plugins
