#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace cosmos {

// Carries one script to a host and separates its reply from whatever else arrives: what a login shell's start files
// print, on stdout or stderr, with or without a line end, or a wrapper that the administrator put around all commands.
// The script travels on stdin, so that the command itself is words that every login shell reads alike (POSIX shells,
// csh, fish), and each reply is framed by marks that nobody can guess. A value; a new one for each try.
class RemoteFrame {
 public:
  // Throws Error{kInternal} when the system has no random bytes.
  RemoteFrame();

  // The first line of the reply, on stdout and on stderr.
  const std::string& begin() const { return begin_; }

  // The script as it is written to stdin; what is written after it is the script's own stdin.
  std::string Streamed(const std::string& script) const;
  // The same for one whose output is read at once: behind it stands the mark of its end with its exit status.
  std::string Answered(const std::string& script) const;
  // The command of the exec request that executes a text of this many bytes from stdin. With `timeout`, it is killed
  // after that (exit status 137).
  static std::string Command(std::size_t bytes, std::optional<Duration> timeout = std::nullopt);

  // Takes the mark of the end off `output` and gives the script's exit status; nullopt: it is not there, so the script
  // did not come to its end.
  std::optional<int> TakeEnd(std::string* output) const;

 private:
  std::string begin_;
  std::string end_;
};

}  // namespace cosmos
