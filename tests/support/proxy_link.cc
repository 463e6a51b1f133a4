#include "support/proxy_link.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace cosmos::testing {
namespace {

constexpr size_t kChunk = 128 << 10;
constexpr size_t kKept = 8 << 20;  // 160 MB/s through a delay of 50 ms

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

size_t Throttle::Allowed(Clock::time_point now) const {
  if (rate_ == 0) return kChunk;
  return now < free_ ? 0 : std::clamp<size_t>(rate_ / 100, 1, kChunk);  // what passes in 10 ms
}

void Throttle::Took(size_t bytes, Clock::time_point now) {
  if (rate_ == 0) return;
  // A thread that was late catches up, within limits.
  const Clock::time_point begin = std::max(free_, now - std::chrono::milliseconds(20));
  free_ = begin + std::chrono::nanoseconds(bytes * 1'000'000'000 / rate_);
}

bool ProxyDirection::WantsToRead() const { return !read_end_ && !broken_ && kept_ < kKept; }

std::optional<ProxyDirection::Clock::time_point> ProxyDirection::Due() const {
  if (line_.empty() || full_ || broken_) return std::nullopt;
  return std::max(line_.front().due, throttle_->free());
}

void ProxyDirection::Read(Clock::time_point due) {
  std::array<char, kChunk> buffer;
  const ssize_t n = ::recv(from_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0) {
    broken_ = !WouldBlock();
    return;
  }
  read_end_ = n == 0;
  kept_ += static_cast<size_t>(n);
  line_.push_back({due, std::string(buffer.data(), static_cast<size_t>(n))});
}

size_t ProxyDirection::Write(Clock::time_point now) {
  size_t total = 0;
  while (!line_.empty() && !full_ && line_.front().due <= now) {
    const std::string& bytes = line_.front().bytes;
    if (bytes.empty()) {
      ::shutdown(to_, SHUT_WR);
      passed_end_ = true;
      line_.pop_front();
      break;
    }
    const size_t some = std::min(bytes.size() - written_, throttle_->Allowed(now));
    if (some == 0) break;
    const ssize_t n = ::send(to_, bytes.data() + written_, some, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
      full_ = WouldBlock();
      broken_ = !full_;
      break;
    }
    throttle_->Took(static_cast<size_t>(n), now);
    total += static_cast<size_t>(n);
    kept_ -= static_cast<size_t>(n);
    written_ += static_cast<size_t>(n);
    if (written_ < bytes.size()) continue;
    line_.pop_front();
    written_ = 0;
  }
  return total;
}

ProxyLink::ProxyLink(int client, int server, Throttle* up, Throttle* down)
    : client_(client), server_(server), up_(client, server, up), down_(server, client, down) {}

ProxyLink::~ProxyLink() {
  CloseSocket(client_, reset_ || Broken());
  CloseSocket(server_, reset_ || Broken());
}

void CloseSocket(int fd, bool reset) {
  if (reset) {
    const linger now = {1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  } else {
    ::shutdown(fd, SHUT_RDWR);
    char bytes[4096];  // to close with bytes unread would be a reset
    while (::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
  }
  ::close(fd);
}

}  // namespace cosmos::testing
