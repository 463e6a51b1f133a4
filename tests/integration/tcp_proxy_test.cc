// The faults of the tests' TCP proxy are those that its header tells of.

#include <arpa/inet.h>
#include <errno.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "support/sandbox.h"
#include "support/tcp_proxy.h"

namespace cosmos::testing {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// Both ends of a connection that goes through a proxy. The proxy's target is a socket of this test.
class TcpProxyTest : public ::testing::Test {
 protected:
  static constexpr int kNothingYet = -2;

  TcpProxyTest() : listener_(Listen()), proxy_(PortOf(listener_)) {}
  ~TcpProxyTest() override {
    for (const int fd : {client_, server_, listener_}) ::close(fd);
  }

  void Connect() {
    Dial();
    server_ = ::accept(listener_, nullptr, nullptr);
    ASSERT_GE(server_, 0);
  }
  void Dial() {
    client_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(proxy_.port());
    ASSERT_EQ(::connect(client_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }

  // What recv gave, or kNothingYet.
  static ssize_t Receive(int fd, std::string* bytes, milliseconds limit = seconds(60)) {
    pollfd wait = {fd, POLLIN, 0};
    if (::poll(&wait, 1, static_cast<int>(limit.count())) == 0) return kNothingYet;
    bytes->resize(1 << 20);
    const ssize_t n = ::recv(fd, bytes->data(), bytes->size(), 0);
    bytes->resize(n > 0 ? static_cast<size_t>(n) : 0);
    return n;
  }

  // How long a word takes from the client to the server and back.
  Clock::duration RoundTrip() {
    std::string bytes;
    const Clock::time_point begin = Clock::now();
    ::send(client_, "ping", 4, 0);
    EXPECT_EQ(Receive(server_, &bytes), 4);
    ::send(server_, "pong", 4, 0);
    EXPECT_EQ(Receive(client_, &bytes), 4);
    EXPECT_EQ(bytes, "pong");
    return Clock::now() - begin;
  }

  // Sends so many bytes to the server and says how long it was until they were all there.
  double SecondsFor(size_t total) {
    const Clock::time_point begin = Clock::now();
    std::thread sender([&] {
      const std::string block(1 << 16, 'x');
      for (size_t sent = 0; sent < total;) {
        const ssize_t n = ::send(client_, block.data(), std::min(block.size(), total - sent), MSG_NOSIGNAL);
        if (n <= 0) return;
        sent += static_cast<size_t>(n);
      }
    });
    std::string bytes;
    size_t received = 0;
    while (received < total && Receive(server_, &bytes) > 0) received += bytes.size();
    sender.join();
    EXPECT_EQ(received, total);
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  static int Listen() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(0);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd, 8), 0);
    return fd;
  }
  static int PortOf(int fd) {
    sockaddr_in address = {};
    socklen_t size = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

  int listener_;
  TcpProxy proxy_;
  int client_ = -1;
  int server_ = -1;
};

TEST_F(TcpProxyTest, ForwardsAndCounts) {
  Connect();
  RoundTrip();
  Await("count", [&] { return proxy_.BytesForwarded() == 8; });
  EXPECT_EQ(proxy_.Connections(), 1);
  EXPECT_EQ(proxy_.OpenConnections(), 1);
  // Each direction ends for itself.
  ::shutdown(client_, SHUT_WR);
  std::string bytes;
  EXPECT_EQ(Receive(server_, &bytes), 0);
  ::send(server_, "last", 4, 0);
  ::shutdown(server_, SHUT_WR);
  EXPECT_EQ(Receive(client_, &bytes), 4);
  EXPECT_EQ(Receive(client_, &bytes), 0);
  Await("end", [&] { return proxy_.OpenConnections() == 0; });
  EXPECT_EQ(proxy_.Connections(), 1);
}

TEST_F(TcpProxyTest, DelaysWithoutSlowing) {
  Connect();
  proxy_.SetDelay(milliseconds(50));
  EXPECT_GE(RoundTrip(), milliseconds(100));
  EXPECT_GE(RoundTrip(), milliseconds(100));
  // With one piece in flight at a time this would take 12 s. Machines that do other things as well are allowed much.
  const double megabytes_per_second = 32 / SecondsFor(32 << 20);
  RecordProperty("megabytes_per_second", std::to_string(megabytes_per_second));
  EXPECT_GT(megabytes_per_second, 10);
  proxy_.SetDelay(milliseconds(0));
  EXPECT_LT(std::min({RoundTrip(), RoundTrip(), RoundTrip()}), milliseconds(50));
}

TEST_F(TcpProxyTest, Throttles) {
  Connect();
  proxy_.SetThrottle(1 << 20);
  EXPECT_GT(SecondsFor(512 << 10), 0.4);
  proxy_.SetThrottle(0);
  EXPECT_LT(SecondsFor(8 << 20), 4);
}

TEST_F(TcpProxyTest, CutsOrderly) {
  Connect();
  RoundTrip();
  proxy_.CutAll();
  EXPECT_EQ(proxy_.OpenConnections(), 0);
  std::string bytes;
  EXPECT_EQ(Receive(client_, &bytes), 0);
  EXPECT_EQ(Receive(server_, &bytes), 0);
}

TEST_F(TcpProxyTest, Resets) {
  Connect();
  RoundTrip();
  proxy_.ResetAll();
  std::string bytes;
  EXPECT_EQ(Receive(client_, &bytes), -1);
  EXPECT_EQ(errno, ECONNRESET);
  EXPECT_EQ(Receive(server_, &bytes), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_F(TcpProxyTest, ADeadLinkKeepsSilent) {
  Connect();
  proxy_.SetDelay(milliseconds(100));
  ::send(client_, "lo", 2, 0);  // is on its way when the link dies
  std::this_thread::sleep_for(milliseconds(20));
  proxy_.SetBlackHole(true);
  ::send(client_, "st", 2, 0);
  std::string bytes;
  EXPECT_EQ(Receive(server_, &bytes, milliseconds(300)), kNothingYet);
  EXPECT_EQ(Receive(client_, &bytes, milliseconds(0)), kNothingYet);
  const int first = client_;
  Dial();  // is answered by nobody, but not refused
  EXPECT_EQ(Receive(client_, &bytes, milliseconds(100)), kNothingYet);
  EXPECT_EQ(proxy_.Connections(), 1);
  ::close(client_);
  client_ = first;
  proxy_.SetBlackHole(false);
  std::string all;
  while (all.size() < 4 && Receive(server_, &bytes) > 0) all += bytes;
  EXPECT_EQ(all, "lost");
}

TEST_F(TcpProxyTest, RefusesNewConnectionsOnly) {
  Connect();
  proxy_.SetRefuse(true);
  const int first = client_;
  Dial();
  std::string bytes;
  EXPECT_EQ(Receive(client_, &bytes), 0);
  ::close(client_);
  client_ = first;
  RoundTrip();
  EXPECT_EQ(proxy_.Connections(), 1);
}

}  // namespace
}  // namespace cosmos::testing
