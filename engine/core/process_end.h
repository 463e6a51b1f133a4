#pragma once

#include <thread>

namespace cosmos {

// For a thread that hangs in a library, such as in a connection that is being made: nothing can end it, and it would
// find what it uses destroyed once `main` returns. It is detached, and the program ends by _exit. What the thread uses
// must be its own. Any thread.
void LeaveBehind(std::thread thread);

// Whether any was left behind, so that `main` must not return.
bool ThreadsAreLeftBehind();

}  // namespace cosmos
