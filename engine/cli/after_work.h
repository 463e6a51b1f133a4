#pragma once

#include <optional>

#include "core/fd.h"

namespace cosmos {

// Lets a command go on with work after it has ended for whoever called it: the program is split into two processes,
// of which one works and the other waits for its word. For one thread.
class AfterWork {
 public:
  // To be called while the program has one thread, and before it has locks or connections. In the process that works,
  // returns nothing; in the other, once that one has left or ended, the exit status to end with. Where there can be no
  // second process, all is done in this one.
  std::optional<int> Split();
  // In the process that works: the caller's program ends now with `status`, and this process goes on without a
  // terminal. Everything that was printed must be out. False, and nothing happens, unless the program was split.
  bool Leave(int status);

 private:
  Fd word_;
};

}  // namespace cosmos
