#pragma once

#include "core/cancel.h"

namespace cosmos {

// While it lives, Ctrl-C (SIGINT) and SIGTERM cancel the token, and a second one leaves the process at once with status
// 130: jobs of a run then go on, and `resume` finds them. SIGPIPE is ignored meanwhile. One at a time in a process.
class Interrupt {
 public:
  // `words` say on the terminal what the first one leads to. Both must outlive the object.
  Interrupt(CancelToken* token, const char* words);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
};

}  // namespace cosmos
