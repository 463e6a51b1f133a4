#pragma once

#include <atomic>
#include <chrono>

namespace cosmos::plugins {

// Says once, to the thread that carries out a stage, that its work is to be given up. Set may come from any thread,
// more than once.
class Interrupt {
 public:
  // Throws std::system_error when the system has no descriptors left.
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  void Set() noexcept;
  bool IsSet() const noexcept { return set_; }
  // Readable from the moment of Set on; for poll(2). Owned by the interrupt.
  int fd() const noexcept { return fd_; }
  // Blocks until set, or until `duration` has passed. Throws sdk::Cancelled when it is set.
  void Sleep(std::chrono::milliseconds duration) const;
  // Throws sdk::Cancelled when it is set.
  void Check() const;

 private:
  std::atomic<bool> set_{false};
  const int fd_;
};

}  // namespace cosmos::plugins
