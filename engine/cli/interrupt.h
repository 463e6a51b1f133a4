#pragma once

#include "core/cancel.h"

namespace cosmos {

// While it lives, Ctrl-C (SIGINT) and SIGTERM cancel the token, and a second one leaves the process at once with status
// 130: jobs then go on, and `resume` finds them. SIGPIPE is ignored meanwhile. One at a time in a process.
class Interrupt {
 public:
  // `token` must outlive the object.
  explicit Interrupt(CancelToken* token);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
};

}  // namespace cosmos
