#include "support/test_account.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>
#include <vector>

#include "support/processes.h"

namespace cosmos::testing {
namespace {

// useradd and its kin wait a whole second when they meet another one.
class AccountsLock {
 public:
  AccountsLock() : fd_(::open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) { ::flock(fd_, LOCK_EX); }
  ~AccountsLock() { ::close(fd_); }
  AccountsLock(const AccountsLock&) = delete;
  AccountsLock& operator=(const AccountsLock&) = delete;

 private:
  int fd_;
};

std::vector<pid_t> ProcessesOf(uid_t user) {
  std::vector<pid_t> found;
  for (const Process& process : AllProcesses()) {
    if (process.user == user) found.push_back(process.pid);
  }
  return found;
}

std::string GroupOf(const std::filesystem::path& socket) {
  struct stat about = {};
  const group* owner = ::stat(socket.c_str(), &about) == 0 ? ::getgrgid(about.st_gid) : nullptr;
  if (owner == nullptr) throw std::runtime_error(socket.string() + " is of no group that has a name");
  return owner->gr_name;
}

}  // namespace

TestAccount::TestAccount(const std::filesystem::path& docker_socket) {
  const AccountsLock lock;
  const std::string base = "cosmostest_" + std::to_string(::getpid());
  name_ = base;
  for (int i = 2; ::getpwnam(name_.c_str()) != nullptr; ++i) name_ = base + "_" + std::to_string(i);
  std::vector<std::string> words = {"useradd", "-m", "-s", "/bin/bash", "-d", home()};
  // `*` rather than useradd's `!`, which locks the account even for those who come with a key.
  words.insert(words.end(), {"-p", "*"});
  if (!docker_socket.empty()) words.insert(words.end(), {"-G", GroupOf(docker_socket)});
  words.push_back(name_);
  MustRun(words);
  uid_ = ::getpwnam(name_.c_str())->pw_uid;
}

TestAccount::~TestAccount() {
  // One that forks all the time may need several rounds.
  for (int i = 0; i < 100 && !ProcessesOf(uid_).empty(); ++i) KillAndAwait(ProcessesOf(uid_));
  const AccountsLock lock;
  RunProgram({"userdel", "--force", "--remove", name_});
}

}  // namespace cosmos::testing
