#include "support/background_program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

namespace cosmos::testing {
namespace {

[[noreturn]] void Fail(const std::string& what) { throw std::runtime_error(what + ": " + ::strerror(errno)); }

// PR_SET_PDEATHSIG would be shorter, but it goes by the thread that forked, which may well end before the test does.
[[noreturn]] void Guard(pid_t server, int lifeline) {
  ::setsid();  // so that Ctrl-C at a terminal does not end the guard before it has done its duty
  ::prctl(PR_SET_NAME, "test_guard");
  ::dup2(lifeline, 0);
  ::close_range(1, ~0U, 0);  // other guards' lifelines, and the pipe whose end ctest waits for
  char byte;
  while (::read(0, &byte, 1) < 0 && errno == EINTR) {
  }
  ::kill(server, SIGTERM);
  ::_exit(0);
}

}  // namespace

BackgroundProgram::BackgroundProgram(const std::vector<std::string>& words, const std::filesystem::path& log) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out < 0) Fail(log.string());
  int lifeline[2];
  if (::pipe2(lifeline, O_CLOEXEC) != 0) Fail("pipe2");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  if (pid_ > 0) guard_ = ::fork();
  if (guard_ == 0) Guard(pid_, lifeline[0]);
  ::close(out);
  ::close(lifeline[0]);
  lifeline_ = lifeline[1];
  if (pid_ < 0) Fail("fork");
}

BackgroundProgram::~BackgroundProgram() { Stop(SIGKILL, std::chrono::seconds(0)); }

bool BackgroundProgram::Alive() { return alive_ && !Reaped(false); }

void BackgroundProgram::Stop(int signal, std::chrono::milliseconds grace) {
  if (alive_) ::kill(pid_, signal);
  const auto end = std::chrono::steady_clock::now() + grace;
  while (Alive() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  if (alive_) {
    ::kill(pid_, SIGKILL);
    Reaped(true);
  }
  if (lifeline_ < 0) return;
  // The guard goes first: closing the lifeline would let it send a signal to whoever has the number by now.
  if (guard_ > 0) {
    ::kill(guard_, SIGKILL);
    ::waitpid(guard_, nullptr, 0);
  }
  ::close(lifeline_);
  lifeline_ = -1;
}

bool BackgroundProgram::Reaped(bool wait) {
  alive_ = ::waitpid(pid_, nullptr, wait ? 0 : WNOHANG) == 0;
  return !alive_;
}

}  // namespace cosmos::testing
