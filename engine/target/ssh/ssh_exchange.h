#pragma once

#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/fd.h"

namespace cosmos {

// One command on a host, while it waits for its channel, runs, and after its end. Shared by the thread that wants the
// command and the connection's thread; thread-safe. At most kMostBuffered bytes are held each way, so a slow reader
// slows the host down and memory does not grow with what a command prints. What it prints begins behind a mark, on
// stdout and on stderr: before it stands what a login shell's start files print.
class SshExchange {
 public:
  static constexpr std::size_t kMostBuffered = 4 << 20;

  enum class Kind {
    kShort,   // ends by itself soon
    kWatch,   // held open; the connection is made to have room for it
    kFollow,  // held open, and given up (kBusy) when short commands need its place
  };
  enum class End {
    kNone,     // it has not ended
    kExited,   // the command ended, with exit_status()
    kLost,     // the connection was lost meanwhile, or ended: it may or may not have done its work
    kBusy,     // the host had no channel to spare
    kRefused,  // the connection cannot be made, see failure()
  };

  // `begin` is the mark.
  SshExchange(std::string command, std::string_view begin, Kind kind);
  SshExchange(const SshExchange&) = delete;
  SshExchange& operator=(const SshExchange&) = delete;

  const std::string& command() const { return command_; }
  Kind kind() const { return kind_; }

  // For the thread that wants the command:
  // What has come on stdout since the last call. Blocks until there is something, something new on stderr, the command
  // has ended, `until` has passed or `stop` is cancelled; empty in the last four cases.
  std::string Read(SteadyTime until, const CancelToken* stop);
  // Appends to stdin; blocks while much waits there already. False once the command has ended, `until` has passed or
  // `stop` is cancelled.
  bool Write(std::string_view bytes, SteadyTime until, const CancelToken* stop);
  void CloseInput();
  // Its end is not waited for: what it still prints is dropped, and its stdin is closed, on which a held command ends.
  void Stop();
  bool ended() const;  // and everything that it printed was read
  End end() const;
  std::exception_ptr failure() const;
  int exit_status() const;  // -1: it left none (killed by a signal)
  // The first 64 KiB of stderr; when the mark never came, the last 64 KiB of what the host printed instead.
  std::string Errors() const;
  bool begun() const;  // the mark has come
  // When it got its channel, which is before it could begin.
  std::optional<SteadyTime> opened() const;

  // For the connection's thread:
  void SetOpened();
  std::size_t RoomForOutput() const;
  void AddOutput(std::string_view bytes);
  void AddErrors(std::string_view bytes);
  // Up to `most` bytes for stdin, which stay until they are consumed; `close` when there will be no more after them.
  std::string PeekInput(std::size_t most, bool* close) const;
  void ConsumeInput(std::size_t bytes);
  bool stopped() const;
  void SetEnd(End end, int exit_status = -1, std::exception_ptr failure = nullptr);
  // Called whenever the wanting thread did something that concerns the connection.
  void SetWakeUp(int event_fd) { wake_up_ = event_fd; }

 private:
  bool WaitForChange(SteadyTime until, const CancelToken* stop) const;
  void Tell() const;
  void WakeConnection() const;

  // One of the command's two outputs until its mark has come.
  struct Front {
    std::string noise;
    bool begun = false;
  };
  // REQUIRES: mutex_ is held. What of the bytes stands behind the mark.
  std::string_view BehindMark(std::string_view bytes, Front* front) const;

  const std::string command_;
  const std::string begin_;
  const Kind kind_;
  int wake_up_ = -1;
  Fd changed_;  // readable when there may be something new for the wanting thread

  mutable std::mutex mutex_;  // guards what follows
  Front output_front_;
  Front errors_front_;
  std::string output_;
  std::string errors_;
  std::size_t errors_told_ = 0;  // so many of them were when Read returned last for their sake
  std::string input_;
  std::size_t input_taken_ = 0;  // bytes at the front of input_ that are gone
  bool input_closed_ = false;
  bool stopped_ = false;
  End end_ = End::kNone;
  int exit_status_ = -1;
  std::exception_ptr failure_;
  std::optional<SteadyTime> opened_;
};

}  // namespace cosmos
