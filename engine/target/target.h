#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/status.h"

namespace cosmos {

// What a target needs to start a durable job.
struct JobOrder {
  std::string folder;  // absolute, on the target; the job's own. Below it: job.sh, run.log, pid, exit_status, out/
  std::string script;  // for /bin/sh; made by job/job_script.h, which writes the files that a target reads
  // Given to the process from its first moment on, and never written anywhere.
  std::map<std::string, std::string> environment;
};

// All it takes to find a job again, from any process, after any crash (DESIGN 6). A value; kept in the store.
struct JobHandle {
  std::string folder;
  std::int64_t pid = 0;             // of the job's session and process group leader; 0: the job never wrote it
  std::int64_t pid_start_time = 0;  // clock ticks since boot; tells a process from a later one of the same number
  std::string boot_id;
  std::string container;  // empty without one
};

struct Submission {
  JobHandle handle;
  bool attached = false;  // it had been started before
};

struct JobState {
  enum class Phase { kRunning, kEnded };

  Phase phase = Phase::kRunning;
  int exit_status = -1;                   // when ended; -1: it left none
  FailureKind gone = FailureKind::kNone;  // why it left none: kKilled or kHostRebooted
};

struct LogPiece {
  std::string bytes;
  std::int64_t size = 0;  // of the whole log now; less than the offset asked for: it was truncated or replaced
};

// A machine on which jobs are done. A target knows hosts, folders and processes, but neither runs nor stages.
// Thread-safe. All functions throw Error{kUnavailable} when the host cannot be used, Error{kIo} for its files.
class Target {
 public:
  virtual ~Target() = default;

  // Starts the job as a process of its own session that outlives the engine. A job is started once in its folder: when
  // it was started before, by whomever, its handle is returned and nothing else happens.
  virtual Submission Submit(const JobOrder& order) = 0;
  // The handle of the job that was started in `folder`, if one was.
  virtual std::optional<JobHandle> Find(const std::string& folder) = 0;
  // Whether paths on the target are paths of the engine's machine too.
  virtual bool IsLocal() const = 0;
  // From exit_status, process and boot id alone; never from the log, never from time.
  virtual JobState Poll(const JobHandle& handle) = 0;
  // Blocks until the job has ended, `cancel` is cancelled or `longest` has passed; then as Poll.
  virtual JobState Wait(const JobHandle& handle, const CancelToken& cancel, Duration longest) = 0;
  // TERM to everything the job started, after `grace` KILL. True only when all of it is gone; also ends what a job that
  // has ended left behind.
  virtual bool Cancel(const JobHandle& handle, Duration grace) = 0;
  // Bytes of the job's run.log from `offset` on, at most `limit`; none when there is no log yet.
  virtual LogPiece ReadLog(const JobHandle& handle, std::int64_t offset, std::size_t limit) = 0;
  // Whether a file (not a folder) is there.
  virtual bool HasFile(const std::string& path) = 0;
  // Brings a file that a job made to the local path, whole or not at all, replacing what is there. The machine itself
  // moves it.
  virtual void Download(const std::string& path, const std::filesystem::path& local) = 0;
};

}  // namespace cosmos
