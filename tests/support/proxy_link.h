#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace cosmos::testing {

// The parts of TcpProxy that move bytes; all belong to its one thread.

// At most so many bytes a second; a rate of 0 stands for no limit.
class Throttle {
 public:
  using Clock = std::chrono::steady_clock;

  void SetRate(std::uint64_t bytes_per_second) { rate_ = bytes_per_second; }
  size_t Allowed(Clock::time_point now) const;
  void Took(size_t bytes, Clock::time_point now);
  Clock::time_point free() const { return free_; }  // when it allows something

 private:
  std::uint64_t rate_ = 0;
  Clock::time_point free_ = {};
};

// One direction of a connection: from a socket, through a line of chunks that each wait for their time, to another
// socket. Both sockets do not block, and stay the caller's. It keeps a few MB, then it reads no more.
class ProxyDirection {
 public:
  using Clock = std::chrono::steady_clock;

  ProxyDirection(int from, int to, Throttle* throttle) : from_(from), to_(to), throttle_(throttle) {}

  bool WantsToRead() const;
  bool WaitsForReceiver() const { return full_; }
  bool PassedEnd() const { return passed_end_; }
  bool Broken() const { return broken_; }
  // When Write can do something, if not as soon as a socket is ready.
  std::optional<Clock::time_point> Due() const;

  void Read(Clock::time_point due);
  void ReceiverIsReady() { full_ = false; }
  // Passes on what is due; returns how many bytes went.
  size_t Write(Clock::time_point now);

 private:
  struct Chunk {
    Clock::time_point due;
    std::string bytes;  // empty: the end of the stream
  };

  int from_;
  int to_;
  Throttle* throttle_;
  std::deque<Chunk> line_;
  size_t kept_ = 0;     // bytes in line_
  size_t written_ = 0;  // of its first chunk
  bool read_end_ = false;
  bool passed_end_ = false;
  bool full_ = false;    // the receiver takes no more for now
  bool broken_ = false;  // one end has reset the connection
};

// A forwarded connection; owns its two sockets.
class ProxyLink {
 public:
  ProxyLink(int client, int server, Throttle* up, Throttle* down);
  ~ProxyLink();
  ProxyLink(const ProxyLink&) = delete;
  ProxyLink& operator=(const ProxyLink&) = delete;

  int client() const { return client_; }
  int server() const { return server_; }
  ProxyDirection& up() { return up_; }      // from the client
  ProxyDirection& down() { return down_; }  // to the client
  bool Over() const { return Broken() || (up_.PassedEnd() && down_.PassedEnd()); }
  bool Broken() const { return up_.Broken() || down_.Broken(); }
  // How the destructor is to close the sockets; a broken link is reset anyway.
  void ResetAtEnd() { reset_ = true; }

 private:
  int client_;
  int server_;
  ProxyDirection up_;
  ProxyDirection down_;
  bool reset_ = false;
};

// Closes with FIN, or with RST.
void CloseSocket(int fd, bool reset);

}  // namespace cosmos::testing
