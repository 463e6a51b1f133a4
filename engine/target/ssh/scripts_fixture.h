#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/files.h"
#include "core/text.h"
#include "target/local/process.h"
#include "target/ssh/remote_scripts.h"

namespace cosmos {

// What a shell would take apart, carry out or take for an option if it were not quoted.
inline const std::vector<std::string> kOddWords = {"a b",
                                                   "it's",
                                                   "\"two\"",
                                                   "$(touch PWNED)",
                                                   "`touch PWNED`",
                                                   ";touch PWNED;",
                                                   "&touch PWNED&",
                                                   "$HOME",
                                                   "-n",
                                                   "-rf",
                                                   "--",
                                                   "*",
                                                   "a\nb",
                                                   "a\n",
                                                   "\n",
                                                   "\\n\\",
                                                   "~",
                                                   "!x",
                                                   "#no",
                                                   "😀",
                                                   "a\tb",
                                                   "%s%d",
                                                   "'",
                                                   "\"",
                                                   "|",
                                                   "<x >y",
                                                   "{a,b}"};

inline void Await(const std::string& what, const std::function<bool()>& holds) {
  for (int i = 0; i < 12000; ++i) {
    if (holds()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  FAIL() << "in two minutes there was no " << what;
}

struct Said {
  int status = -1;  // 128 + signal
  std::string output;
  std::string errors;
};

// A program whose stdin is held open, as that of a command in an exec channel. The destructor kills its session.
class HeldProgram {
 public:
  explicit HeldProgram(std::vector<std::string> words) {
    int in[2], out[2], errors[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(errors, O_CLOEXEC) != 0) ::abort();
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setsid();
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::dup2(errors[1], 2);
      ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
    for (const int fd : {in[0], out[1], errors[1]}) ::close(fd);
    input_ = in[1];
    readers_.emplace_back([this, fd = out[0]] { ReadAll(fd, &said_.output); });
    readers_.emplace_back([this, fd = errors[0]] { ReadAll(fd, &said_.errors); });
  }
  ~HeldProgram() {
    for (const ProcessInfo& process : ProcessesOfSession(pid_)) ::kill(process.pid, SIGKILL);
    Wait();
  }
  HeldProgram(const HeldProgram&) = delete;
  HeldProgram& operator=(const HeldProgram&) = delete;

  void Write(const std::string& text) const {
    ASSERT_EQ(::write(input_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void CloseInput() {
    if (input_ >= 0) ::close(std::exchange(input_, -1));
  }
  std::string Output() {
    const std::lock_guard lock(mutex_);
    return said_.output;
  }
  std::string Errors() {
    const std::lock_guard lock(mutex_);
    return said_.errors;
  }
  bool HasEnded() const { return !FindProcess(pid_).has_value(); }
  // Whether it, or anything of its session, is alive.
  bool LeftSomething() const { return !ProcessesOfSession(pid_).empty(); }
  pid_t pid() const { return pid_; }
  // Returns once it has ended.
  Said Wait() {
    if (readers_.empty()) return said_;
    int status = 0;
    ::waitpid(pid_, &status, 0);
    said_.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    CloseInput();
    for (std::thread& reader : readers_) reader.join();
    readers_.clear();
    return said_;
  }

 private:
  void ReadAll(int fd, std::string* to) {
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;) {
      const std::lock_guard lock(mutex_);
      to->append(buffer, static_cast<std::size_t>(n));
    }
    ::close(fd);
  }

  pid_t pid_ = -1;
  int input_ = -1;
  std::mutex mutex_;  // guards the texts of said_
  Said said_;
  std::vector<std::thread> readers_;
};

// Carries the scripts of remote_scripts.h out on this machine, by the shell whose words are the parameter. Every job
// that a test started is ended, and the folder removed, by the destructor.
class ScriptsTest : public ::testing::TestWithParam<std::string> {
 protected:
  ScriptsTest() {
    // The parent of what a script leaves running, so that it can be reaped.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    char name[] = "/tmp/cosmos-scripts-XXXXXX";
    root_ = ::mkdtemp(name);
    folder_ = root_ + "/jobs/a/1";
  }
  ~ScriptsTest() override {
    for (const JobHandle& job : jobs_) {
      for (const ProcessInfo& process : ProcessesOfSession(static_cast<pid_t>(job.pid))) ::kill(process.pid, SIGKILL);
      Reap(job);
    }
    std::filesystem::remove_all(root_);
  }

  std::vector<std::string> Words(const std::string& script) const {
    std::vector<std::string> words = {"env", "-C", root_, "HOME=" + root_ + "/home"};
    std::string rest = GetParam();
    for (std::size_t space = 0; (space = rest.find(' ')) != rest.npos; rest.erase(0, space + 1)) {
      words.push_back(rest.substr(0, space));
    }
    words.insert(words.end(), {rest, "-c", script});
    return words;
  }
  Said Run(const std::string& script) const {
    HeldProgram program(Words(script));
    program.CloseInput();
    return program.Wait();
  }
  // What a script says that must succeed.
  std::string Ask(const std::string& script) const {
    const Said said = Run(script);
    EXPECT_EQ(said.status, 0) << said.errors;
    return said.output;
  }

  // A job as job/job_script.h makes it, with `body` as the command.
  JobOrder Order(const std::string& body) const {
    return {folder_,
            "cd " + ShellQuote(folder_) +
                "\nread -r stat </proc/$$/stat\nread -r boot </proc/sys/kernel/random/boot_id\n"
                "set -C -- ${stat##*) }\nprintf '%s %s %s %s\\n' $$ \"${20}\" \"$boot\" $COSMOS_SUBMISSION >pid || "
                "exit 0\nset +C --\n"
                "exec >>run.log 2>&1\ntrap : TERM\n(trap - TERM\n" +
                body + "\n)\nprintf '%s\\n' $? >exit_status\n",
            {{"COSMOS_OUTPUT_DIR", folder_ + "/out"}}};
  }
  // `said` gets the first word of the answer.
  JobHandle Submit(const JobOrder& order, std::string* said = nullptr) {
    const std::string answer = Ask(SubmitScript(order));
    const std::size_t space = std::min(answer.find(' '), answer.size());
    if (said != nullptr) *said = answer.substr(0, space);
    const auto handle = ParseHandle(order.folder, answer.substr(space));
    EXPECT_TRUE(handle) << answer;
    if (handle) Keep(*handle);
    return handle.value_or(JobHandle());
  }
  void Keep(const JobHandle& handle) { jobs_.push_back(handle); }
  JobState Poll(const JobHandle& handle) const { return ParseState(Ask(PollScript(handle))); }
  JobState WaitForEnd(const JobHandle& handle) const {
    JobState state;
    Await("end of the job", [&] { return (state = Poll(handle)).phase == JobState::Phase::kEnded; });
    return state;
  }
  // Only what is dead.
  static void Reap(const JobHandle& handle) {
    if (handle.pid > 1) ::waitpid(static_cast<pid_t>(handle.pid), nullptr, WNOHANG);
  }
  static bool Lives(const JobHandle& handle) { return !ProcessesOfSession(static_cast<pid_t>(handle.pid)).empty(); }

  // A process of no job, in a session of its own, with a handle that would be its.
  JobHandle Foreign() {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::setsid();
      ::execlp("sleep", "sleep", "1000", nullptr);
      ::_exit(127);
    }
    Await("foreign process", [&] {
      const auto process = FindProcess(pid);
      return process && process->session == pid;
    });
    Keep({folder_, pid, FindProcess(pid)->start_time, BootId(), ""});
    return jobs_.back();
  }

  std::string root_;
  std::string folder_;

 private:
  std::vector<JobHandle> jobs_;
};

// Of what needs GNU coreutils, for which busybox puts its own in.
class GnuScriptsTest : public ScriptsTest {};

inline auto GnuShells() { return ::testing::Values("/bin/sh", "/bin/bash"); }

inline auto Shells() {
  std::vector<std::string> shells = {"/bin/sh"};
  for (const char* shell : {"/bin/bash", "/bin/busybox sh"}) {
    const std::string words = shell;
    if (::access(words.substr(0, words.find(' ')).c_str(), X_OK) == 0) shells.push_back(words);
  }
  return ::testing::ValuesIn(shells);
}

inline std::string ShellName(const ::testing::TestParamInfo<std::string>& info) {
  const std::string words = info.param.substr(info.param.rfind('/') + 1);
  return words.substr(0, words.find(' '));
}

}  // namespace cosmos
