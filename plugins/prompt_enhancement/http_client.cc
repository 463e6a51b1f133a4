#include "prompt_enhancement/http_client.h"

#include <curl/curl.h>

#include <memory>
#include <mutex>

namespace cosmos::plugins {
namespace {

using Kind = HttpTrouble::Kind;

constexpr std::size_t kMostBody = std::size_t{16} << 20;

struct EasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiCleanup {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using Easy = std::unique_ptr<CURL, EasyCleanup>;
using Multi = std::unique_ptr<CURLM, MultiCleanup>;

// A list of headers, freed with it.
class HeaderList {
 public:
  explicit HeaderList(const std::vector<std::string>& headers) {
    for (const std::string& header : headers) list_ = curl_slist_append(list_, header.c_str());
  }
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// libcurl's receiver of the body. Taking fewer bytes than there are ends the transfer.
std::size_t Receive(char* bytes, std::size_t size, std::size_t count, void* body) noexcept {
  auto& text = *static_cast<std::string*>(body);
  if (text.size() + size * count > kMostBody) return 0;
  try {
    text.append(bytes, size * count);
    return size * count;
  } catch (...) {
    return 0;
  }
}

void InitialiseLibrary() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

void SetUp(CURL* easy, const HttpRequest& request, const HeaderList& headers, char* message, std::string* body) {
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "cosmos-engine");
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);  // the engine has many threads
  // Do not wait for a name server that does not answer when the request was given up.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Receive);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
}

// Works until the transfer has ended, and says how.
CURLcode Perform(CURLM* multi, const Interrupt& interrupt) {
  for (;;) {
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (running == 0) break;
    curl_waitfd wait = {interrupt.fd(), CURL_WAIT_POLLIN, 0};
    curl_multi_poll(multi, &wait, 1, 60 * 60 * 1000, nullptr);  // not longer than its own timers
    interrupt.Check();
  }
  int left = 0;
  const CURLMsg* ended = curl_multi_info_read(multi, &left);
  return ended == nullptr ? CURLE_FAILED_INIT : ended->data.result;
}

Kind KindOf(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Kind::kTimeout;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return Kind::kConnection;
    default:
      return Kind::kRefused;
  }
}

}  // namespace

HttpResponse HttpPost(const HttpRequest& request, const Interrupt& interrupt) {
  InitialiseLibrary();
  interrupt.Check();
  HttpResponse response;
  const HeaderList headers(request.headers);
  char message[CURL_ERROR_SIZE] = "";
  const Easy easy(curl_easy_init());
  const Multi multi(curl_multi_init());
  if (easy == nullptr || multi == nullptr) throw HttpTrouble(Kind::kRefused, "libcurl has no memory left");
  SetUp(easy.get(), request, headers, message, &response.body);

  // A handle is taken out of the multi handle before either of them ends.
  struct Member {
    Member(CURLM* all, CURL* one) : multi(all), easy(one) { curl_multi_add_handle(multi, easy); }
    ~Member() { curl_multi_remove_handle(multi, easy); }
    CURLM* multi;
    CURL* easy;
  };
  const Member member(multi.get(), easy.get());

  const CURLcode code = Perform(multi.get(), interrupt);
  if (code == CURLE_WRITE_ERROR) {
    throw HttpTrouble(Kind::kRefused, "the answer has more than " + std::to_string(kMostBody >> 20) + " MiB");
  }
  if (code != CURLE_OK) throw HttpTrouble(KindOf(code), message[0] != '\0' ? message : curl_easy_strerror(code));

  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &response.status);
  const char* location = nullptr;
  curl_easy_getinfo(easy.get(), CURLINFO_REDIRECT_URL, &location);
  if (location != nullptr) response.location = location;
  curl_off_t retry_after = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RETRY_AFTER, &retry_after);
  if (retry_after > 0) response.retry_after = std::chrono::seconds(retry_after);
  return response;
}

}  // namespace cosmos::plugins
