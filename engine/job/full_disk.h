#pragma once

#include <signal.h>
#include <sys/resource.h>

namespace cosmos {

// While it lives, this process cannot make any file larger, as on a full disk.
class FullDisk {
 public:
  FullDisk() {
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit none{0, limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    ::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit limit_{};
  sighandler_t handler_;
};

}  // namespace cosmos
