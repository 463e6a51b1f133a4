#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "prompt_enhancement/interrupt.h"

// The one door to HTTP, over libcurl.
namespace cosmos::plugins {

struct HttpRequest {
  std::string url;
  std::vector<std::string> headers;  // "Name: value"; without line ends
  std::string body;
  std::chrono::milliseconds timeout{0};  // for the whole of it, from the look-up of the host's name on
};

struct HttpResponse {
  long status = 0;
  std::string body;
  std::string location;                 // where a redirect leads, "" when it is none
  std::chrono::seconds retry_after{0};  // what the server asks for, as a number or a date; 0 when it does not
};

// There is no response.
class HttpTrouble : public std::runtime_error {
 public:
  enum class Kind {
    kConnection,  // no connection, or it was lost; another try may help
    kTimeout,     // the request's time was over; likewise
    kRefused,     // trying again will not help: certificates, an answer beyond all measure
  };
  HttpTrouble(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

// POSTs and gives the response, of whatever status. Redirects are not followed, so what the headers hold reaches the
// URL's host alone. Thread-safe. Throws HttpTrouble, and sdk::Cancelled as soon as `interrupt` is set.
HttpResponse HttpPost(const HttpRequest& request, const Interrupt& interrupt);

}  // namespace cosmos::plugins
