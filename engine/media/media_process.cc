#include "media/media_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "media/ffmpeg_log.h"

namespace cosmos {
namespace {

constexpr std::size_t kMostLog = 1 << 16;

[[noreturn]] void FailToStart(const std::string& program, int reason) {
  if (reason == ENOENT) {
    throw Error(ErrorCode::kUnavailable, "there is no " + program + " on this machine", "install ffmpeg");
  }
  throw Error(ErrorCode::kUnavailable, "cannot start " + program + ": " + std::strerror(reason));
}

// Waits until the descriptor can be used; false when cancelled first.
bool Ready(const Fd& fd, short events, const CancelToken& cancel) {
  for (;;) {
    pollfd wait[] = {{fd.get(), events, 0}, {cancel.fd(), POLLIN, 0}};
    ::poll(wait, 2, -1);
    if (cancel.cancelled()) return false;
    if (wait[0].revents != 0) return true;
  }
}

}  // namespace

MediaProcess::MediaProcess(const std::vector<std::string>& argv, Feed feed, const CancelToken& cancel)
    : cancel_(cancel) {
  int in[2] = {-1, -1}, out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) FailToStart(argv[0], errno);
  stdout_ = Fd(out[0]);
  const Fd child_out(out[1]);
  // A socket where a pipe would do, because writing to one can be told not to raise SIGPIPE.
  if (feed == Feed::kPipe && ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0) FailToStart(argv[0], errno);
  const Fd child_in(in[0]);
  stdin_ = Fd(in[1]);
  log_ = Fd(::memfd_create("log", MFD_CLOEXEC));
  if (!log_.valid()) FailToStart(argv[0], errno);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (feed == Feed::kPipe) {
    ::posix_spawn_file_actions_adddup2(&actions, child_in.get(), 0);
  } else {
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  }
  ::posix_spawn_file_actions_adddup2(&actions, child_out.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, log_.get(), 2);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int reason = ::posix_spawnp(&pid_, words[0], &actions, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (reason != 0) {
    pid_ = -1;
    FailToStart(argv[0], reason);
  }
}

MediaProcess::~MediaProcess() {
  if (pid_ <= 0) return;
  Kill();
  Finish();
}

void MediaProcess::Kill() { ::kill(pid_, SIGKILL); }

bool MediaProcess::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!Ready(stdin_, POLLOUT, cancel_)) return false;
    const ssize_t n = ::send(stdin_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    if (n < 0 && errno != EINTR && errno != EAGAIN) return false;
  }
  return true;
}

bool MediaProcess::ReadLine(std::string* line) {
  for (;;) {
    if (const std::size_t end = read_.find('\n'); end != read_.npos) {
      *line = read_.substr(0, end);
      read_.erase(0, end + 1);
      return true;
    }
    if (!Ready(stdout_, POLLIN, cancel_)) return false;
    char buffer[8192];
    const ssize_t n = ::read(stdout_.get(), buffer, sizeof buffer);
    if (n == 0 || (n < 0 && errno != EINTR)) return false;
    if (n > 0) read_.append(buffer, static_cast<std::size_t>(n));
  }
}

bool MediaProcess::ReadBytes(std::size_t count, std::string* bytes) {
  *bytes = read_.substr(0, count);
  read_.erase(0, bytes->size());
  std::size_t have = bytes->size();
  bytes->resize(count);
  while (have < count) {
    if (!Ready(stdout_, POLLIN, cancel_)) return false;
    const ssize_t n = ::read(stdout_.get(), bytes->data() + have, count - have);
    if (n == 0 || (n < 0 && errno != EINTR)) return false;
    if (n > 0) have += static_cast<std::size_t>(n);
  }
  return true;
}

int MediaProcess::Finish() {
  stdin_.Reset();
  std::string line;
  while (ReadLine(&line)) {
  }
  if (cancel_.cancelled()) Kill();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string MediaProcess::Complaint() const {
  std::string log(kMostLog, '\0');
  const ssize_t n = ::pread(log_.get(), log.data(), log.size(), 0);
  log.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return FirstComplaint(log);
}

}  // namespace cosmos
