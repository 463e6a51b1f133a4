#include "cli/after_work.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace cosmos {
namespace {

// What the process came to that has ended without a word.
int StatusOf(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::optional<int> AfterWork::Split() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  Fd reading(ends[0]);
  word_ = Fd(ends[1]);
  const pid_t child = ::fork();
  if (child <= 0) {
    if (child < 0) word_ = Fd();
    return std::nullopt;
  }
  word_ = Fd();
  unsigned char status = 0;
  ssize_t size = 0;
  while ((size = ::read(reading.get(), &status, 1)) < 0 && errno == EINTR) {
  }
  return size == 1 ? status : StatusOf(child);
}

bool AfterWork::Leave(int status) {
  if (!word_.valid()) return false;
  ::setsid();
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (null.valid()) ::dup2(null.get(), fd);
  }
  const auto byte = static_cast<unsigned char>(status);
  ::signal(SIGPIPE, SIG_IGN);  // whoever waited may be gone
  while (::write(word_.get(), &byte, 1) < 0 && errno == EINTR) {
  }
  word_ = Fd();
  return true;
}

}  // namespace cosmos
