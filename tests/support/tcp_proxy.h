#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

namespace cosmos::testing {

// A link with faults: listens on a free port of 127.0.0.1 and forwards each connection to another port there. It has
// one thread of its own; every function may be called from any thread at any time and takes effect at once, on open
// connections too. The destructor closes everything.
class TcpProxy {
 public:
  // Throws std::runtime_error when it cannot listen.
  explicit TcpProxy(int target_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  int port() const;
  int Connections() const;               // accepted and forwarded so far
  int OpenConnections() const;           // of these, those that are open now
  std::uint64_t BytesForwarded() const;  // in both directions

  // Everything arrives this much later, in each direction, at the full throughput. Connecting takes no longer.
  void SetDelay(std::chrono::milliseconds each_way);
  // At most so many bytes a second in each direction, all connections together; 0: as many as it can.
  void SetThrottle(std::uint64_t bytes_per_second);
  // A dead link: connections stay open and new ones are made, but nothing passes until it is set to false; then what
  // was kept arrives. (The kernels still answer each other, so TCP's own keepalive does not notice.)
  void SetBlackHole(bool on);
  // An outage for new connections: each is closed at once. Open ones go on; see CutAll.
  void SetRefuse(bool on);
  // Closes all connections, both ends orderly (FIN) or with a reset (RST). When it returns, they are closed, and what
  // had not arrived is lost.
  void CutAll();
  void ResetAll();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace cosmos::testing
