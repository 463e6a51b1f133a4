#include "prompt_enhancement/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cosmos/failure.hpp>
#include <system_error>

namespace cosmos::plugins {
namespace {

// A pipe, whose ends are closed by the destructor unless they were before.
class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  }
  ~Pipe() {
    Close(0);
    Close(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void Close(int end) {
    if (ends_[end] >= 0) ::close(ends_[end]);
    ends_[end] = -1;
  }

  // Takes what can be read without waiting for more, and closes the reading end when the other one was closed.
  void Take(std::string* text) {
    char buffer[65536];
    const ssize_t n = ::read(ends_[0], buffer, sizeof buffer);
    if (n > 0) text->append(buffer, static_cast<std::size_t>(n));
    if (n == 0 || (n < 0 && errno != EINTR)) Close(0);
  }

 private:
  int ends_[2] = {-1, -1};
};

pid_t Spawn(const std::vector<std::string>& argv, const Pipe& out, const Pipe& err) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out.writing(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, err.writing(), 2);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // A session of its own, so that Ctrl-C on the engine's terminal does not reach it and all of it can be killed.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = -1;
  const int reason = ::posix_spawnp(&pid, words[0], &actions, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (reason == ENOENT) return -1;
  if (reason != 0) throw std::system_error(reason, std::generic_category(), "cannot start '" + argv[0] + "'");
  return pid;
}

}  // namespace

ProgramResult RunProgram(const std::vector<std::string>& argv, const Interrupt& interrupt) {
  interrupt.Check();
  Pipe out;
  Pipe err;
  ProgramResult result;
  const pid_t pid = Spawn(argv, out, err);
  if (pid < 0) {
    result.exit_status = 127;
    return result;
  }
  out.Close(1);
  err.Close(1);
  while (!interrupt.IsSet() && (out.reading() >= 0 || err.reading() >= 0)) {
    pollfd wait[] = {{out.reading(), POLLIN, 0}, {err.reading(), POLLIN, 0}, {interrupt.fd(), POLLIN, 0}};
    ::poll(wait, 3, -1);
    if (wait[0].revents != 0) out.Take(&result.out);
    if (wait[1].revents != 0) err.Take(&result.err);
  }
  if (interrupt.IsSet()) ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  interrupt.Check();
  result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace cosmos::plugins
