#include "prompt_enhancement/chat_request.h"

#include <array>
#include <cosmos/parse_json.hpp>
#include <utility>

#include "prompt_enhancement/backend.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;

constexpr std::size_t kMostPrompt = 16000;  // bytes; what the models take has a few hundred words
constexpr std::size_t kMostError = 600;

std::string Base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return text;
}

// Servers without images take a plain text alone.
Json UserContent(const ChatQuestion& question) {
  if (question.frames.empty()) return question.prompt;
  Json parts = Json::array();
  parts.push_back({{"type", "text"}, {"text", "Frames of the shot, in order:"}});
  for (const std::string& frame : question.frames) {
    parts.push_back({{"type", "image_url"}, {"image_url", {{"url", "data:image/jpeg;base64," + Base64(frame)}}}});
  }
  parts.push_back({{"type", "text"}, {"text", "The artist's prompt:\n" + question.prompt}});
  return parts;
}

std::string_view Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool Removed(std::string_view* text, std::string_view before, std::string_view after) {
  if (text->size() < before.size() + after.size() || text->substr(0, before.size()) != before ||
      text->substr(text->size() - after.size()) != after) {
    return false;
  }
  const std::string_view within = text->substr(before.size(), text->size() - before.size() - after.size());
  // "A" and "B" has no quotes around the whole.
  if (within.find(before) != std::string_view::npos || within.find(after) != std::string_view::npos) return false;
  *text = Trimmed(within);
  return true;
}

[[noreturn]] void Refuse(const std::string& found, const std::string& fix) {
  throw BackendFailure("output_invalid", "the server's answer " + found + "; " + fix);
}

// The text of a message's content: a text, or a list of parts.
std::string TextOf(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (content.is_array()) {
    for (const Json& part : content) {
      if (part.is_object() && part.contains("text") && part["text"].is_string()) text += part["text"];
    }
  }
  return text;
}

// Numbers alone: a record has no use for the rest.
Json Numbers(const Json& usage) {
  Json numbers = Json::object();
  if (!usage.is_object()) return numbers;
  for (const auto& [name, value] : usage.items()) {
    if (value.is_number()) numbers[name] = value;
  }
  return numbers;
}

std::string StringAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The beginning of a text, cut between two characters of UTF-8.
std::string Cut(std::string text) {
  if (text.size() <= kMostError) return text;
  std::size_t end = kMostError;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

}  // namespace

std::string ChatBody(const ChatQuestion& question) {
  Json body = {{"model", question.model},
               {"messages", Json::array({{{"role", "system"}, {"content", question.system_prompt}},
                                         {{"role", "user"}, {"content", UserContent(question)}}})},
               {"temperature", question.temperature},
               {"max_tokens", question.max_tokens},
               {"stream", false}};
  if (question.seed) body["seed"] = *question.seed;
  return sdk::Dump(body);
}

ChatAnswer ReadChatAnswer(const std::string& body) {
  const Json json = sdk::TryParseJson(body);
  if (!sdk::NestsWithin(body, sdk::kForeignJson.depth)) {
    Refuse("nests more than " + std::to_string(sdk::kForeignJson.depth) + " levels deep",
           "check that base_url leads to an OpenAI-compatible API, such as …/v1");
  }
  if (json.is_discarded()) Refuse("is no JSON: " + Cut(body), "check that base_url leads to an API, such as …/v1");
  if (!json.is_object() || !json.contains("choices") || !json["choices"].is_array() || json["choices"].empty()) {
    const std::string error = ErrorIn(body);
    Refuse("has no choices" + (error.empty() ? "" : ": " + error),
           "check that base_url leads to an OpenAI-compatible API, such as …/v1");
  }
  const Json& choice = json["choices"][0];
  if (!choice.is_object() || !choice.contains("message") || !choice["message"].is_object()) {
    Refuse("has no message in its first choice", "check that the server speaks OpenAI's chat completions");
  }
  if (StringAt(choice, "finish_reason") == "length") {
    Refuse("was cut off (finish_reason is 'length')", "raise max_tokens, or the context length of the server");
  }
  if (StringAt(choice, "finish_reason") == "content_filter") {
    throw BackendFailure("guardrail_blocked", "the server's content filter blocked the answer; reword the prompt");
  }
  const Json& message = choice["message"];
  ChatAnswer answer;
  answer.prompt = PromptIn(TextOf(message.value("content", Json())));
  if (answer.prompt.empty()) {
    const std::string refusal = StringAt(message, "refusal");
    if (!refusal.empty()) Refuse("is a refusal: " + Cut(refusal), "write the prompt differently, or use another model");
    Refuse("has no text besides reasoning", "raise max_tokens, or use another model");
  }
  if (answer.prompt.size() > kMostPrompt || answer.prompt.find('\0') != std::string::npos) {
    Refuse("is no usable prompt: it is longer than " + std::to_string(kMostPrompt) + " bytes or has a NUL character",
           "use another model or system_prompt");
  }
  answer.model = StringAt(json, "model");
  answer.usage = Numbers(json.value("usage", Json()));
  return answer;
}

std::string ErrorIn(const std::string& body) {
  const Json json = sdk::TryParseJson(body);
  if (json.is_discarded()) return Cut(std::string(Trimmed(body)));
  if (!json.is_object()) return "";
  // {"error": {"message": …}} of OpenAI, {"error": …} of Ollama, {"message": …} of vLLM, {"detail": …} of NIM.
  const Json error = json.value("error", json);
  if (error.is_string()) return Cut(error);
  for (const char* key : {"message", "detail", "title"}) {
    if (error.is_object() && error.contains(key)) {
      return Cut(error[key].is_string() ? error[key].get<std::string>() : sdk::Dump(error[key]));
    }
  }
  return "";
}

std::string PromptIn(std::string_view answer) {
  // The tag that opens is missing where the server's template has written it for the model.
  constexpr std::string_view kOpen = "<think>";
  constexpr std::string_view kClose = "</think>";
  const std::size_t close = answer.rfind(kClose);
  if (close != std::string_view::npos) answer.remove_prefix(close + kClose.size());
  answer = Trimmed(answer.substr(0, answer.find(kOpen)));

  if (Removed(&answer, "```", "```")) {
    const std::size_t line = answer.find('\n');  // the fence may name a language
    const std::string_view first = answer.substr(0, line);
    if (line != std::string_view::npos && first.find(' ') == std::string_view::npos) {
      answer = Trimmed(answer.substr(line));
    }
  }
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kQuotes = {
      {{"\"", "\""}, {"'", "'"}, {"“", "”"}, {"«", "»"}, {"`", "`"}}};
  for (const auto& [before, after] : kQuotes) {
    if (Removed(&answer, before, after)) break;
  }
  return std::string(answer);
}

}  // namespace cosmos::plugins
