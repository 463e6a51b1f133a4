#pragma once

#include <chrono>
#include <cosmos/log_level.hpp>
#include <functional>
#include <string>

#include "prompt_enhancement/chat_request.h"
#include "prompt_enhancement/interrupt.h"

namespace cosmos::plugins {

// Asks one OpenAI-compatible server, again and again where that may help. Not thread-safe.
//
// The key goes into the request's header and nowhere else: in everything that comes back, be it an answer or an error's
// text, it is replaced by `***`.
class OpenAiClient {
 public:
  struct Server {
    std::string base_url;                   // such as http://localhost:8000/v1
    std::string api_key;                    // empty: none is sent
    std::chrono::milliseconds timeout{0};   // of one request
    int attempts = 1;                       // in all
    std::chrono::milliseconds max_wait{0};  // the most between two attempts, whatever the server asks for
  };
  using Log = std::function<void(sdk::LogLevel level, const std::string& text)>;
  // Blocks for the duration; throws sdk::Cancelled when the work is given up.
  using Wait = std::function<void(std::chrono::milliseconds duration)>;

  // `interrupt` ends a request in progress and must outlive the client. Throws StageFailure invalid_input for a key
  // that no header can hold.
  OpenAiClient(Server server, const Interrupt* interrupt, Log log, Wait wait);

  // Sends the body of a request and reads the answer. Too many requests (429), errors of the server (5xx), connections
  // that cannot be made or are lost, and time-outs are tried again; everything else is final. Throws BackendFailure,
  // and sdk::Cancelled.
  ChatAnswer Ask(const std::string& body);

  // The requests that were made so far, an object each: "seconds", and "status" or "error".
  const sdk::Json& requests() const { return requests_; }

 private:
  struct Attempt;

  Attempt Try(const std::string& body);
  std::chrono::milliseconds PauseAfter(int attempt, std::chrono::seconds asked_for) const;
  std::string BodyWithoutKey(const std::string& body) const;
  std::string WithoutKey(std::string text) const;

  const Server server_;
  const Interrupt& interrupt_;
  const Log log_;
  const Wait wait_;
  sdk::Json requests_ = sdk::Json::array();
};

}  // namespace cosmos::plugins
