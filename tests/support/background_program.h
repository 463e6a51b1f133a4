#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace cosmos::testing {

// A server that runs beside a test, its stdout and stderr appended to a file. The destructor kills it, and a guard
// process ends it with SIGTERM should the test itself be killed. Not thread-safe; it may be made and ended on different
// threads, and outlives the thread that made it.
class BackgroundProgram {
 public:
  // Throws std::runtime_error when the system has no process to give.
  BackgroundProgram(const std::vector<std::string>& words, const std::filesystem::path& log);
  ~BackgroundProgram();
  BackgroundProgram(const BackgroundProgram&) = delete;
  BackgroundProgram& operator=(const BackgroundProgram&) = delete;

  pid_t pid() const { return pid_; }
  bool Alive();
  // Sends the signal, and SIGKILL if it is not gone after `grace`. May be called again.
  void Stop(int signal, std::chrono::milliseconds grace);

 private:
  bool Reaped(bool wait);

  pid_t pid_ = -1;
  pid_t guard_ = -1;
  int lifeline_ = -1;  // open as long as the test lives; the guard reads its other end
  bool alive_ = true;
};

}  // namespace cosmos::testing
