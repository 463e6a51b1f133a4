#pragma once

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>

#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace cosmos::plugins {

// A real HTTP server on a free port of the loopback interface, for tests: it keeps every request, and gives the replies
// that were put in its queue, in order; without any, status 500. Stopped by the destructor, whatever it is doing.
// Thread-safe.
class HttpServer {
 public:
  struct Request {
    std::string method;
    std::string path;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
  };
  struct Reply {
    unsigned status = 200;
    std::string body;
    std::map<std::string, std::string> headers;
    bool never = false;    // no reply at all, until the server is stopped
    bool cut_off = false;  // the connection is closed after half of the body
  };

  HttpServer() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    daemon_ = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, nullptr, nullptr,
                               &HttpServer::Answer, this, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED,
                               &HttpServer::Forget, this, MHD_OPTION_END);
    if (daemon_ == nullptr) throw std::runtime_error("the HTTP server does not start");
  }
  ~HttpServer() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    MHD_stop_daemon(daemon_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT)->port);
  }

  void Add(Reply reply) {
    const std::lock_guard lock(mutex_);
    replies_.push_back(std::move(reply));
  }

  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  // Waits until there were so many requests.
  void AwaitRequests(std::size_t count) const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return requests_.size() >= count; });
  }

 private:
  static MHD_Result AddHeader(void* headers, MHD_ValueKind, const char* name, const char* value) {
    std::string lower(name);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    (*static_cast<std::map<std::string, std::string>*>(headers))[lower] = value == nullptr ? "" : value;
    return MHD_YES;
  }

  // Called for the head of a request, for each piece of its body, and once more.
  static MHD_Result Answer(void* self, MHD_Connection* connection, const char* path, const char* method, const char*,
                           const char* bytes, std::size_t* size, void** request) {
    if (*request == nullptr) {
      auto fresh = std::make_unique<Request>();
      fresh->method = method;
      fresh->path = path;
      MHD_get_connection_values(connection, MHD_HEADER_KIND, &AddHeader, &fresh->headers);
      *request = fresh.release();
      return MHD_YES;
    }
    if (*size > 0) {
      static_cast<Request*>(*request)->body.append(bytes, std::exchange(*size, 0));
      return MHD_YES;
    }
    return static_cast<HttpServer*>(self)->Send(connection, *static_cast<Request*>(*request));
  }

  static void Forget(void*, MHD_Connection*, void** request, MHD_RequestTerminationCode) {
    delete static_cast<Request*>(std::exchange(*request, nullptr));
  }

  // Gives the first half of the body and then fails, which closes the connection.
  static ssize_t GiveHalf(void* text, std::uint64_t position, char* buffer, std::size_t most) {
    const auto& body = *static_cast<std::string*>(text);
    const std::size_t half = body.size() / 2;
    if (position >= half) return MHD_CONTENT_READER_END_WITH_ERROR;
    const std::size_t count = std::min(most, half - static_cast<std::size_t>(position));
    std::memcpy(buffer, body.data() + position, count);
    return static_cast<ssize_t>(count);
  }

  MHD_Result Send(MHD_Connection* connection, const Request& request) {
    Reply reply;
    {
      std::unique_lock lock(mutex_);
      requests_.push_back(request);
      changed_.notify_all();
      reply = replies_.empty() ? Reply{500, "no reply is left", {}, false, false} : replies_.front();
      if (!replies_.empty()) replies_.pop_front();
      if (reply.never) {
        changed_.wait(lock, [&] { return stopping_; });
        return MHD_NO;
      }
    }
    MHD_Response* response =
        reply.cut_off
            ? MHD_create_response_from_callback(reply.body.size(), 1024, &GiveHalf, new std::string(reply.body),
                                                [](void* text) { delete static_cast<std::string*>(text); })
            : MHD_create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY);
    for (const auto& [name, value] : reply.headers) MHD_add_response_header(response, name.c_str(), value.c_str());
    const MHD_Result result = MHD_queue_response(connection, reply.status, response);
    MHD_destroy_response(response);
    return result;
  }

  mutable std::mutex mutex_;  // guards all below but daemon_
  mutable std::condition_variable changed_;
  std::deque<Reply> replies_;
  std::vector<Request> requests_;
  bool stopping_ = false;
  MHD_Daemon* daemon_;
};

}  // namespace cosmos::plugins
