// Something that listens where an SSH server should, and means harm.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <thread>

#include "security/measured.h"

namespace cosmos::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr long kMaxMib = 200;

// Listens on a free port of 127.0.0.1, and does the same with everybody who comes. The destructor ends all of it.
class Listener {
 public:
  // `serve` writes to the descriptor until it fails.
  explicit Listener(std::function<void(int)> serve)
      : serve_(std::move(serve)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~Listener() {
    ::shutdown(socket_, SHUT_RDWR);
    acceptor_.join();
    for (const int guest : guests_) ::shutdown(guest, SHUT_RDWR);
    for (std::thread& server : servers_) server.join();
    for (const int guest : guests_) ::close(guest);
    ::close(socket_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  int port() const { return port_; }

 private:
  void Accept() {
    for (;;) {
      const int guest = ::accept(socket_, nullptr, nullptr);
      if (guest < 0) return;
      guests_.push_back(guest);
      servers_.emplace_back([this, guest] { serve_(guest); });
    }
  }

  const std::function<void(int)> serve_;
  const int socket_;
  int port_ = 0;
  std::list<int> guests_;  // of the acceptor until it has ended
  std::list<std::thread> servers_;
  std::thread acceptor_;
};

bool Send(int guest, const std::string& bytes) {
  return ::send(guest, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

class HostileServerTest : public ::testing::Test {
 protected:
  Measured Check(const Listener& listener) {
    sandbox_.Write("w.yaml", "version: 1\nname: w\ntargets: {gpu1: {ssh: {host: 127.0.0.1, port: " +
                                 std::to_string(listener.port()) +
                                 ", user: nobody}}}\nstages: {a: {uses: noop, target: gpu1}}\n");
    return MeasuredRun(&sandbox_, {"run", "w.yaml"});
  }

  Sandbox sandbox_;
};

TEST_F(HostileServerTest, OneThatSaysNothingIsGivenUp) {
  const Listener listener([](int guest) {
    char byte = 0;
    while (::read(guest, &byte, 1) > 0) {
    }
  });
  const Measured run = Check(listener);
  EXPECT_EQ(run.status, 3) << run.output;
  EXPECT_THAT(run.output, HasSubstr("cannot connect"));
}

TEST_F(HostileServerTest, ABannerWithoutEndFillsNoMemory) {
  const Listener listener([](int guest) {
    while (Send(guest, std::string(1 << 16, 'x'))) {
    }
  });
  const Measured run = Check(listener);
  EXPECT_EQ(run.status, 3) << run.output;
  EXPECT_LT(run.peak_mib, kMaxMib);
}

TEST_F(HostileServerTest, LinesBeforeTheBannerWithoutEndFillNoMemory) {
  const Listener listener([](int guest) {
    while (Send(guest, "come in\r\n")) {
    }
  });
  const Measured run = Check(listener);
  EXPECT_EQ(run.status, 3) << run.output;
  EXPECT_LT(run.peak_mib, kMaxMib);
}

TEST_F(HostileServerTest, APacketThatClaimsAllMemoryIsRefused) {
  const Listener listener([](int guest) {
    Send(guest, std::string("SSH-2.0-x\r\n") + "\xff\xff\xff\xff" + std::string(1 << 16, '\xff'));
    char byte = 0;
    while (::read(guest, &byte, 1) > 0) {
    }
  });
  const Measured run = Check(listener);
  EXPECT_EQ(run.status, 3) << run.output;
  EXPECT_LT(run.peak_mib, kMaxMib);
}

}  // namespace
}  // namespace cosmos::testing
