#include "core/process_end.h"

#include <atomic>

namespace cosmos {
namespace {

std::atomic<bool> left_behind{false};

}  // namespace

void LeaveBehind(std::thread thread) {
  left_behind.store(true);
  thread.detach();
}

bool ThreadsAreLeftBehind() { return left_behind.load(); }

}  // namespace cosmos
