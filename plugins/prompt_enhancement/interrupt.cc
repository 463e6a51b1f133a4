#include "prompt_enhancement/interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cosmos/failure.hpp>
#include <system_error>

namespace cosmos::plugins {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Interrupt::Interrupt() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Interrupt::~Interrupt() { ::close(fd_); }

void Interrupt::Set() noexcept {
  set_ = true;
  ::eventfd_write(fd_, 1);
}

void Interrupt::Sleep(milliseconds duration) const {
  const auto end = steady_clock::now() + duration;
  for (;;) {
    Check();
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now()).count();
    if (left <= 0) return;
    pollfd wait = {fd_, POLLIN, 0};
    ::poll(&wait, 1, static_cast<int>(std::min<long>(left, 60L * 60 * 1000)));
  }
}

void Interrupt::Check() const {
  if (set_) throw sdk::Cancelled();
}

}  // namespace cosmos::plugins
