#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/fd.h"

namespace cosmos {

// ffmpeg, ffprobe or cosmos-pictures at work, fed through its stdin or read from its stdout meanwhile. It stays in the
// engine's process group, so Ctrl-C reaches both; whatever happens, it is gone when the object is. Used by one thread.
class MediaProcess {
 public:
  enum class Feed { kNothing, kPipe };

  // Throws Error{kUnavailable} when there is no such program or it cannot be started.
  MediaProcess(const std::vector<std::string>& argv, Feed feed, const CancelToken& cancel);
  ~MediaProcess();
  MediaProcess(const MediaProcess&) = delete;
  MediaProcess& operator=(const MediaProcess&) = delete;

  // Gives it bytes; false when it wants no more, because it failed or was cancelled. REQUIRES: Feed::kPipe.
  bool Write(std::string_view bytes);
  // The next line of its stdout, without its end; false at the end of all, or when cancelled.
  bool ReadLine(std::string* line);
  // So many bytes of its stdout, behind the lines that were read; false when they end before, or when cancelled.
  bool ReadBytes(std::size_t count, std::string* bytes);
  // Closes its stdin, waits for its end, and gives its exit status (128 + signal when it was killed). It is killed
  // first when it was cancelled. Called once, last.
  int Finish();
  // The first line that it had to say on stderr, and "" when it said nothing. After Finish.
  std::string Complaint() const;

 private:
  void Kill();

  const CancelToken& cancel_;
  pid_t pid_ = -1;
  Fd stdin_;
  Fd stdout_;
  Fd log_;  // a file without a name; it never fills up and blocks, as a pipe would
  std::string read_;
};

}  // namespace cosmos
