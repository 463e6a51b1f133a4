#include "prompt_enhancement/openai_client.h"

#include <algorithm>
#include <cmath>
#include <cosmos/parse_json.hpp>
#include <optional>
#include <random>
#include <utility>

#include "common/parameters.h"
#include "prompt_enhancement/backend.h"
#include "prompt_enhancement/http_client.h"

namespace cosmos::plugins {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr double kFirstPause = 1000;  // milliseconds; it doubles with each attempt

double SecondsSince(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

std::string InSeconds(milliseconds duration) { return Format(static_cast<double>(duration.count()) / 1000) + " s"; }

bool MayPass(long status) { return status == 429 || status >= 500; }

std::string Advice(long status) {
  if (status == 401 || status == 403) return "check api_key";
  if (status == 404) return "check base_url and model";
  if (MayPass(status)) return "try again later, or raise attempts";
  return "check the parameters";
}

}  // namespace

// What one request came to: an answer, or why there is none.
struct OpenAiClient::Attempt {
  std::optional<std::string> answer;  // the response's body
  std::string kind;                   // of the failure
  std::string problem;
  std::string advice;
  bool again = false;  // another one may help
  seconds asked_for{0};
};

OpenAiClient::OpenAiClient(Server server, const Interrupt* interrupt, Log log, Wait wait)
    : server_(std::move(server)), interrupt_(*interrupt), log_(std::move(log)), wait_(std::move(wait)) {
  const auto printable = [](unsigned char c) { return c > 0x20 && c < 0x7F; };
  if (!std::all_of(server_.api_key.begin(), server_.api_key.end(), printable)) {
    throw sdk::StageFailure("invalid_input",
                            "api_key has a space, a line end or another character that no key has; check the secret "
                            "it comes from");
  }
}

ChatAnswer OpenAiClient::Ask(const std::string& body) {
  for (int attempt = 1;; ++attempt) {
    const Attempt tried = Try(body);
    if (tried.answer) return ReadChatAnswer(*tried.answer);
    if (!tried.again || attempt >= server_.attempts) {
      const std::string times = attempt > 1 ? " (attempt " + std::to_string(attempt) + ")" : "";
      throw BackendFailure(tried.kind, tried.problem + times + "; " + tried.advice);
    }
    const milliseconds pause = PauseAfter(attempt, tried.asked_for);
    log_(sdk::LogLevel::kWarning, "attempt " + std::to_string(attempt) + " of " + std::to_string(server_.attempts) +
                                      ": " + tried.problem + "; trying again in " + InSeconds(pause));
    wait_(pause);
  }
}

OpenAiClient::Attempt OpenAiClient::Try(const std::string& body) {
  HttpRequest request;
  request.url = server_.base_url;
  while (!request.url.empty() && request.url.back() == '/') request.url.pop_back();
  request.url += "/chat/completions";
  request.headers = {"Content-Type: application/json", "Accept: application/json",
                     "Expect:"};  // a large body is sent without asking first
  if (!server_.api_key.empty()) request.headers.push_back("Authorization: Bearer " + server_.api_key);
  request.body = body;
  request.timeout = server_.timeout;

  Attempt attempt;
  const auto begin = steady_clock::now();
  try {
    HttpResponse response = HttpPost(request, interrupt_);
    response.body = BodyWithoutKey(response.body);
    requests_.push_back({{"status", response.status}, {"seconds", SecondsSince(begin)}});
    if (response.status >= 200 && response.status < 300) {
      attempt.answer = std::move(response.body);
      return attempt;
    }
    const std::string error = ErrorIn(response.body);
    attempt.kind = "plugin_error";
    attempt.problem = "the server at " + server_.base_url + " answered with HTTP status " +
                      std::to_string(response.status) + (error.empty() ? "" : ": " + error);
    attempt.advice = Advice(response.status);
    if (!response.location.empty()) {
      attempt.problem += ", which leads to " + WithoutKey(response.location);
      attempt.advice = "give that place as base_url if it is to be trusted with prompt and key";
    }
    attempt.again = MayPass(response.status);
    attempt.asked_for = response.retry_after;
  } catch (const HttpTrouble& trouble) {
    requests_.push_back({{"error", trouble.what()}, {"seconds", SecondsSince(begin)}});
    const std::string server = "the server at " + server_.base_url;
    attempt.again = trouble.kind() != HttpTrouble::Kind::kRefused;
    if (trouble.kind() == HttpTrouble::Kind::kTimeout) {
      attempt.kind = "timeout";
      attempt.problem = server + " has not answered in " + InSeconds(server_.timeout);
      attempt.advice = "raise timeout, or see why the server is slow";
    } else {
      attempt.kind = attempt.again ? "connection_lost" : "plugin_error";
      attempt.problem = "no usable answer from " + server + ": " + trouble.what();
      attempt.advice = "check base_url, and that the server runs and can be reached from here";
    }
  }
  return attempt;
}

// What the server asks for, else twice as long with each attempt, and by chance up to a half less: so that many stages
// that were turned away at once do not come back at once.
milliseconds OpenAiClient::PauseAfter(int attempt, seconds asked_for) const {
  const double most = static_cast<double>(server_.max_wait.count());
  double pause = std::min(kFirstPause * std::pow(2, attempt - 1), most);
  std::random_device chance;
  pause *= std::uniform_real_distribution<double>(0.5, 1)(chance);
  if (asked_for.count() > 0) pause = std::min(1000.0 * static_cast<double>(asked_for.count()), most);
  return milliseconds(static_cast<milliseconds::rep>(pause));
}

// Before anything else is done with a body: a message that is cut short must not end in half a key.
std::string OpenAiClient::BodyWithoutKey(const std::string& body) const {
  const sdk::Json json = sdk::TryParseJson(body);
  if (server_.api_key.empty() || json.is_discarded()) return WithoutKey(body);
  // JSON may write a character of the key as an escape, so it is looked for in the texts, not in their notation.
  const std::function<sdk::Json(const sdk::Json&)> without_key = [&](const sdk::Json& value) -> sdk::Json {
    if (value.is_string()) return WithoutKey(value.get<std::string>());
    if (!value.is_object()) {
      sdk::Json copy = value;
      if (value.is_array()) std::transform(value.begin(), value.end(), copy.begin(), without_key);
      return copy;
    }
    sdk::Json copy = sdk::Json::object();
    for (const auto& [name, member] : value.items()) copy[WithoutKey(name)] = without_key(member);
    return copy;
  };
  return sdk::Dump(without_key(json));
}

std::string OpenAiClient::WithoutKey(std::string text) const {
  if (server_.api_key.empty()) return text;
  for (std::size_t at = text.find(server_.api_key); at != std::string::npos; at = text.find(server_.api_key, at + 3)) {
    text.replace(at, server_.api_key.size(), "***");
  }
  return text;
}

}  // namespace cosmos::plugins
