#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/status.h"

namespace cosmos {

// What a target needs to start a durable job.
struct JobOrder {
  // Absolute, on the target; the job's own. Below it: job.sh, run.log, pid, exit_status, exit_status.reserved, out/
  std::string folder;
  std::string script;  // for /bin/sh; made by job/job_script.h, which writes the files that a target reads
  // Given to the process from its first moment on, and never written anywhere.
  std::map<std::string, std::string> environment;
  std::string newest_log = "";  // absolute; becomes a link to the job's run.log. Empty: none
  // Of the run that submits it, kept in the job's folder as `owner`: a folder of another owner is not touched. Empty: a
  // run of an older version, which has none.
  std::string owner = "";
  bool resumed = false;  // the run knows that it may have submitted it before
};

// All it takes to find a job again, from any process, after any crash (DESIGN 6). A value; kept in the store.
struct JobHandle {
  std::string folder;
  std::int64_t pid = 0;             // of the job's session and process group leader; 0: the job never wrote it
  std::int64_t pid_start_time = 0;  // clock ticks since boot; tells a process from a later one of the same number
  std::string boot_id;
  std::string container;  // its name; empty without one
};

// The handle that a job wrote into its file `pid`: a line `PID START BOOT`. nullopt when the text holds none that can
// be.
std::optional<JobHandle> ParseHandle(const std::string& folder, const std::string& line);

struct Submission {
  JobHandle handle;
  bool attached = false;  // it had been started before
  bool foreign = false;   // the folder is another run's; nothing was done, and there is no handle
};

struct JobState {
  enum class Phase { kRunning, kEnded };

  Phase phase = Phase::kRunning;
  int exit_status = -1;                   // when ended; -1: it left none
  FailureKind gone = FailureKind::kNone;  // why it left none: kKilled or kHostRebooted
  // Of a container's end that does not prove that its command ran to its end: `unexecuted` (the entrypoint did not
  // execute it) or `unfinished` (the container ended first).
  std::string note = "";
  // How long the job runs by its host's own measure, which no step of a clock changes; nullopt: not known.
  std::optional<Duration> ran = std::nullopt;
};

// What stands for the boot ID of a host that has none. Such a handle outlives no reboot, as then its process is gone.
constexpr const char* kNoBootId = "-";

// The file in which a job's script has its exit status when it could not write `exit_status`. It exists, filled with
// kReservedStatus, before the job starts.
constexpr const char* kReservedStatusFile = "exit_status.reserved";
constexpr const char* kReservedStatus = "                ";

// The job's end as its script wrote it: a line `STATUS` or `STATUS NOTE`. nullopt: it is not there, or not complete.
std::optional<JobState> ParseExitStatus(const std::string& text);

struct LogPiece {
  std::string bytes;
  std::int64_t size = 0;  // of the whole log now; less than the offset asked for: it was truncated or replaced
  std::string file;       // tells the file from another one that took its place; empty when there is no log yet
};

struct LogDigest {
  std::int64_t size = 0;  // of what was asked for: less when the log is shorter
  std::string sha256;
};

// Why following a log ended.
enum class FollowEnd {
  kStopped,  // as asked
  kChanged,  // the log may have been truncated or replaced, or cannot be followed: ReadLog tells
  kLost,     // the connection was; the log goes on
  kBusy,     // the target has no channel to spare for it now
};

struct FileTransfer {
  std::filesystem::path local;
  std::string remote;       // absolute
  std::string sha256 = "";  // of the local file, where it is known, so that it need not be read for it
  // Of a download: the folder on the target that `remote` must not leave through links; empty: it may.
  std::string within = "";
};

// What became of a file that was to be downloaded.
enum class Downloaded {
  kDone,
  kMissing,
  kOutside,     // a link leads out of FileTransfer::within
  kUnreadable,  // the account on the target may not read it
};

// The files below a folder. Of a host it is what the host says: names may be anything, and are for the caller to check.
struct FolderListing {
  static constexpr std::size_t kMaxBytes = std::size_t{16} << 20;  // of all names

  enum class State {
    kListed,
    kMissing,
    kNoFolder,    // it is something else
    kOutside,     // a link leads out of where it must be
    kUnreadable,  // the account on the target may not read it, or a folder below it
    kTooLong,     // the names take more than kMaxBytes; `entries` has some of them
  };
  enum class Kind {
    kFile,
    kLink,          // to a file
    kLinkToFolder,  // which is not entered
    kDangling,      // a link to nothing
    kOther,         // such as a FIFO, or a link to one
  };
  struct Entry {
    std::string path;  // below the folder
    Kind kind = Kind::kFile;
  };

  State state = State::kListed;
  std::vector<Entry> entries;
};

// What a short command came to.
struct TargetOutput {
  int exit_status = -1;    // 128 + signal when killed; -1: not known
  std::string output;      // stdout, at most 1 MiB
  std::string errors;      // stderr, at most 64 KiB; where the target does not tell the two apart, part of `output`
  bool timed_out = false;  // it was killed after `longest`
};

// A machine on which jobs are done. A target knows hosts, folders and processes, but neither runs nor stages.
// Thread-safe. A host that cannot be reached is waited for, however long that takes, as jobs go on there; only Reach
// gives up. Waiting ends with Error{kConnectionLost} when the token given to the target is abandoned or, after some
// grace, cancelled. All functions throw Error{kUnavailable} when the host cannot do what is asked, Error{kInvalidInput}
// when it refuses the engine, Error{kIo} for local files.
class Target {
 public:
  // Called with the bytes that are done and those there are in all.
  using TransferListener = std::function<void(std::int64_t done, std::int64_t total)>;
  using BytesListener = std::function<void(std::string_view bytes)>;

  virtual ~Target() = default;

  // Returns when the host can be used, or throws why it cannot: kConnectionLost when it was not reached within
  // `longest`.
  virtual void Reach(Duration longest) = 0;
  // The folder that jobs work in, absolute; it is made when it is missing.
  virtual std::string Workdir() = 0;
  // The same, but nothing is made or changed.
  virtual std::string FindWorkdir() { return Workdir(); }
  // Whether paths on the target are paths of the engine's machine too.
  virtual bool IsLocal() const = 0;
  // Runs a short script of /bin/sh, which may be run again when the connection was lost meanwhile. It is killed after
  // `longest`, not counting the time without a connection.
  virtual TargetOutput Run(const std::string& script, Duration longest) = 0;

  // Starts the job as a process of its own session that outlives the engine. A job is started once in its folder: when
  // it was started before, by whomever, its handle is returned and nothing else happens.
  virtual Submission Submit(const JobOrder& order) = 0;
  // The handle of the job that was started in `folder`, if one was.
  virtual std::optional<JobHandle> Find(const std::string& folder) = 0;
  // From exit_status, process and boot id alone; never from the log, never from time.
  virtual JobState Poll(const JobHandle& handle) = 0;
  // Blocks until the job has ended, `cancel` is cancelled or `longest` has passed. In the first case as Poll; else it
  // may say of a job that it runs although it has ended, and not how long it has run: who has to know asks Poll.
  virtual JobState Wait(const JobHandle& handle, const CancelToken& cancel, Duration longest) = 0;
  // TERM to everything the job started, after `grace` KILL: its session, and whatever has the job's output folder in
  // its environment (COSMOS_OUTPUT_DIR) as every process of a job has that did not clear it. True only when all of it
  // is gone; also ends what a job that has ended left behind.
  virtual bool Cancel(const JobHandle& handle, Duration grace) = 0;

  // Bytes of the job's run.log from `offset` on, at most `limit`; none when there is no log yet.
  virtual LogPiece ReadLog(const JobHandle& handle, std::int64_t offset, std::size_t limit) = 0;
  // Passes on the log from `offset` on as it is written, on the calling thread, until `stop` is cancelled or something
  // else ends it; what `on_bytes` throws comes through.
  virtual FollowEnd FollowLog(const JobHandle& handle, std::int64_t offset, const CancelToken& stop,
                              const BytesListener& on_bytes) = 0;
  // Of the first `size` bytes of the log; of all of it for a negative size.
  virtual LogDigest DigestOfLog(const JobHandle& handle, std::int64_t size) = 0;

  // What is in a folder, but for the folders in it; `deep`: and what is in those. `within` is the folder that it must
  // not leave through links; empty: it may.
  virtual FolderListing List(const std::string& folder, const std::string& within, bool deep) = 0;

  // Brings local files to the target: those that are already there, by size and SHA-256, are skipped, a part that an
  // earlier try of the same `owner` left is gone on with, and each appears under its name only when it is whole and has
  // the right SHA-256. `listener` may be empty. Ends early, with what is done, when `cancel` is cancelled.
  virtual void Upload(const std::vector<FileTransfer>& files, const std::string& owner, const CancelToken& cancel,
                      const TransferListener& listener) = 0;
  // The same the other way, replacing what is there; says of each file what became of it. On this machine it is moved.
  virtual std::vector<Downloaded> Download(const std::vector<FileTransfer>& files, const CancelToken& cancel,
                                           const TransferListener& listener) = 0;
};

}  // namespace cosmos
