#include "cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "cli/command.h"

namespace cosmos {
namespace {

// A signal handler can reach nothing but globals.
std::atomic<CancelToken*> interrupted_token{nullptr};
std::atomic<const char*> interrupted_words{""};

void OnSignal(int) {
  CancelToken* const token = interrupted_token.load();
  if (token == nullptr || token->cancelled()) ::_exit(kExitCancelled);
  for (const char* text : {"\ncosmos-engine: ", interrupted_words.load(), "\n"}) {
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text, std::strlen(text));
  }
  token->Cancel();
}

void Handle(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt(CancelToken* token, const char* words) {
  interrupted_words.store(words);
  interrupted_token.store(token);
  Handle(OnSignal);
}

Interrupt::~Interrupt() {
  Handle(SIG_DFL);
  interrupted_token.store(nullptr);
}

}  // namespace cosmos
