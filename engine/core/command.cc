#include "core/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/fd.h"

namespace cosmos {
namespace {

constexpr std::size_t kMostOutput = 1 << 20;

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(ErrorCode::kUnavailable, "no file descriptor is left for a pipe");
    reading = Fd(ends[0]);
    writing = Fd(ends[1]);
    ::fcntl(reading.get(), F_SETFL, O_NONBLOCK);
  }
  Fd reading, writing;
};

// Takes what there is; false when the writing end is closed.
bool Drain(const Fd& pipe, std::string* output) {
  for (;;) {
    char buffer[8192];
    const ssize_t n = ::read(pipe.get(), buffer, sizeof buffer);
    if (n == 0) return false;
    if (n < 0) return true;
    output->append(buffer, std::min(static_cast<std::size_t>(n), kMostOutput - output->size()));
  }
}

// Reads until the writing end of the output is closed; false when time is up or the token is cancelled. A process that
// was left behind may hold the errors open.
bool ReadUntilClosed(const Pipe& output, const Pipe& errors, SteadyTime end, const CancelToken& cancel,
                     CommandResult* result) {
  int errors_fd = errors.reading.get();
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0 || cancel.cancelled()) return false;
    pollfd wait[] = {{output.reading.get(), POLLIN, 0}, {errors_fd, POLLIN, 0}, {cancel.fd(), POLLIN, 0}};
    ::poll(wait, 3, static_cast<int>(std::min<long>(left, 60 * 60 * 1000)));
    if (!Drain(errors.reading, &result->errors)) errors_fd = -1;  // which poll passes over
    if (wait[0].revents != 0 && !Drain(output.reading, &result->output)) break;
  }
  Drain(errors.reading, &result->errors);
  return true;
}

}  // namespace

CommandResult RunCommand(const std::vector<std::string>& argv, Duration longest, const CancelToken& cancel,
                         Stderr errors) {
  Pipe output, apart;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output.writing.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, (errors == Stderr::kApart ? apart : output).writing.get(), 2);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // A session of its own, so that Ctrl-C on the engine's terminal does not reach it and all of it can be killed.
  // The caller's thread may block signals; the command shall not.
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  const int reason = ::posix_spawnp(&pid, words[0], &actions, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  output.writing.Reset();
  apart.writing.Reset();
  CommandResult result;
  if (reason == ENOENT) {
    result.exit_status = 127;
    return result;
  }
  if (reason != 0) {
    throw Error(ErrorCode::kUnavailable, "cannot start '" + argv[0] + "': " + std::strerror(reason));
  }
  result.timed_out = !ReadUntilClosed(output, apart, std::chrono::steady_clock::now() + longest, cancel, &result);
  if (result.timed_out) ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace cosmos
