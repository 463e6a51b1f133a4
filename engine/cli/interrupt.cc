#include "cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "cli/command.h"

namespace cosmos {
namespace {

// A signal handler can reach nothing but globals.
std::atomic<CancelToken*> interrupted_token{nullptr};

void OnSignal(int) {
  CancelToken* const token = interrupted_token.load();
  if (token == nullptr || token->cancelled()) ::_exit(kExitCancelled);
  constexpr char kWords[] = "\ncosmos-engine: ending the run in order; once more leaves at once, and its jobs go on\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kWords, sizeof kWords - 1);
  token->Cancel();
}

void Handle(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  // A reader of our output that goes away (`| head`) must not end a run.
  action.sa_handler = handler == SIG_DFL ? SIG_DFL : SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt(CancelToken* token) {
  interrupted_token.store(token);
  Handle(OnSignal);
}

Interrupt::~Interrupt() {
  Handle(SIG_DFL);
  interrupted_token.store(nullptr);
}

}  // namespace cosmos
