#include "support/tcp_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/proxy_link.h"

namespace cosmos::testing {
namespace {

using Clock = std::chrono::steady_clock;

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// Small pieces pass at once; the delay is to be that of the proxy and no other.
void DoNotCollect(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

// Settings are atomics that any thread sets and the loop's thread obeys in its next round; a request to close waits for
// an answer. `links_` and `throttles_` are the loop's thread's own.
class TcpProxy::Loop {
 public:
  explicit Loop(int target);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  template <class T>
  void Set(std::atomic<T>& setting, T value) {
    setting = value;
    Wake();
  }
  void CloseLinks(bool reset);

  int port = 0;
  std::atomic<std::int64_t> delay_ms{0};
  std::atomic<std::uint64_t> rate{0};
  std::atomic<bool> black_hole{false};
  std::atomic<bool> refuse{false};
  std::atomic<int> connections{0};
  std::atomic<int> open{0};
  std::atomic<std::uint64_t> bytes{0};

 private:
  void Wake() const;
  void Run();
  std::vector<pollfd> WhatToWaitFor();
  timespec HowLong();
  void Accept();
  void Forward(const std::vector<pollfd>& ready);
  void AnswerRequest();

  const int target_;
  const int wake_;
  const int listener_;
  std::atomic<bool> stop_{false};
  std::list<ProxyLink> links_;
  Throttle throttles_[2];

  std::mutex mutex_;
  std::condition_variable closed_;
  bool close_ = false;  // guarded by mutex_, as the two below
  bool reset_ = false;
  int round_ = 0;  // how many requests were answered

  std::thread thread_;
};

TcpProxy::Loop::Loop(int target)
    : target_(target),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    const std::string why = ::strerror(errno);
    ::close(listener_);
    ::close(wake_);
    throw std::runtime_error("the proxy cannot listen: " + why);
  }
  port = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

TcpProxy::Loop::~Loop() {
  Set(stop_, true);
  thread_.join();
  ::close(listener_);
  ::close(wake_);
}

void TcpProxy::Loop::Wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_, &one, sizeof one);
}

void TcpProxy::Loop::CloseLinks(bool reset) {
  std::unique_lock<std::mutex> lock(mutex_);
  close_ = true;
  reset_ = reset_ || reset;
  const int round = round_;
  Wake();
  closed_.wait(lock, [&] { return round_ > round; });
}

void TcpProxy::Loop::AnswerRequest() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!close_) return;
  for (ProxyLink& link : links_) {
    if (reset_) link.ResetAtEnd();
  }
  links_.clear();
  open = 0;
  close_ = reset_ = false;
  ++round_;
  closed_.notify_all();
}

void TcpProxy::Loop::Run() {
  while (!stop_) {
    std::vector<pollfd> wait = WhatToWaitFor();
    const timespec limit = HowLong();
    ::ppoll(wait.data(), wait.size(), &limit, nullptr);
    std::uint64_t woken = 0;
    [[maybe_unused]] const ssize_t n = ::read(wake_, &woken, sizeof woken);
    AnswerRequest();
    for (Throttle& throttle : throttles_) throttle.SetRate(rate);
    if (black_hole) continue;
    Forward(wait);
    if (wait[1].revents != 0) Accept();
  }
  links_.clear();
}

// The two that are always there, then each link's client and server; fd -1 where there is nothing to wait for, since
// poll would tell of a closed one all the time.
std::vector<pollfd> TcpProxy::Loop::WhatToWaitFor() {
  const bool dead = black_hole;
  std::vector<pollfd> wait = {{wake_, POLLIN, 0}, {dead ? -1 : listener_, POLLIN, 0}};
  const auto add = [&](int fd, const ProxyDirection& out, const ProxyDirection& in) {
    const int events = (out.WantsToRead() ? POLLIN : 0) | (in.WaitsForReceiver() ? POLLOUT : 0);
    wait.push_back({dead || events == 0 ? -1 : fd, static_cast<short>(events), 0});
  };
  for (ProxyLink& link : links_) {
    add(link.client(), link.up(), link.down());
    add(link.server(), link.down(), link.up());
  }
  return wait;
}

timespec TcpProxy::Loop::HowLong() {
  const Clock::time_point now = Clock::now();
  Clock::time_point first = now + std::chrono::seconds(10);
  for (ProxyLink& link : links_) {
    if (black_hole) break;
    first = std::min({first, link.up().Due().value_or(first), link.down().Due().value_or(first)});
  }
  const auto left = std::chrono::nanoseconds(std::max(first, now) - now).count();
  return {left / 1'000'000'000, left % 1'000'000'000};
}

void TcpProxy::Loop::Accept() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  if (refuse) return CloseSocket(client, false);
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(target_);
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    CloseSocket(server, true);
    return CloseSocket(client, true);
  }
  DoNotCollect(client);
  DoNotCollect(server);
  links_.emplace_back(client, server, &throttles_[0], &throttles_[1]);
  ++connections;
  open = static_cast<int>(links_.size());
}

// REQUIRES: `ready` is of WhatToWaitFor for these links, or there are none any more.
void TcpProxy::Loop::Forward(const std::vector<pollfd>& ready) {
  const Clock::time_point now = Clock::now();
  const Clock::time_point due = now + std::chrono::milliseconds(delay_ms);
  size_t at = 2;
  for (ProxyLink& link : links_) {
    const short client = ready[at++].revents, server = ready[at++].revents;
    if (client != 0) link.down().ReceiverIsReady();
    if (server != 0) link.up().ReceiverIsReady();
    if (client != 0 && link.up().WantsToRead()) link.up().Read(due);
    if (server != 0 && link.down().WantsToRead()) link.down().Read(due);
    bytes += link.up().Write(now) + link.down().Write(now);
  }
  links_.remove_if([](const ProxyLink& link) { return link.Over(); });
  open = static_cast<int>(links_.size());
}

TcpProxy::TcpProxy(int target_port) : loop_(std::make_unique<Loop>(target_port)) {}
TcpProxy::~TcpProxy() = default;

int TcpProxy::port() const { return loop_->port; }
int TcpProxy::Connections() const { return loop_->connections; }
int TcpProxy::OpenConnections() const { return loop_->open; }
std::uint64_t TcpProxy::BytesForwarded() const { return loop_->bytes; }
void TcpProxy::SetDelay(std::chrono::milliseconds each_way) { loop_->Set(loop_->delay_ms, each_way.count()); }
void TcpProxy::SetThrottle(std::uint64_t bytes_per_second) { loop_->Set(loop_->rate, bytes_per_second); }
void TcpProxy::SetBlackHole(bool on) { loop_->Set(loop_->black_hole, on); }
void TcpProxy::SetRefuse(bool on) { loop_->Set(loop_->refuse, on); }
void TcpProxy::CutAll() { loop_->CloseLinks(false); }
void TcpProxy::ResetAll() { loop_->CloseLinks(true); }

}  // namespace cosmos::testing
