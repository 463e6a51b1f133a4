#include "target/local/local_target.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include "core/command.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/files.h"
#include "core/sha256.h"
#include "target/local/job_folder.h"
#include "target/local/list_folder.h"
#include "target/local/process.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using std::chrono::milliseconds;

constexpr auto kStartWait = std::chrono::seconds(1);
constexpr auto kClaimWait = std::chrono::seconds(5);
constexpr auto kKillWait = std::chrono::seconds(10);
constexpr auto kLogPause = milliseconds(20);
constexpr std::size_t kLogPiece = 1 << 18;

std::string BootIdOrNone() {
  std::string id = BootId();
  return id.empty() ? kNoBootId : id;
}

bool SameProcess(const JobHandle& handle) {
  const auto process = handle.pid > 0 ? FindProcess(static_cast<pid_t>(handle.pid)) : std::nullopt;
  return process && process->start_time == handle.pid_start_time;
}

std::vector<ProcessInfo> Survivors(const JobHandle& handle) {
  const pid_t leader = handle.pid > 1 ? static_cast<pid_t>(handle.pid) : -1;
  return ProcessesOfJob(leader, handle.pid_start_time, "COSMOS_OUTPUT_DIR=" + handle.folder + "/out");
}

void Signal(const std::vector<ProcessInfo>& processes, int signal) {
  for (const ProcessInfo& process : processes) ::kill(process.pid, signal);
}

std::vector<std::string> Environment(const std::map<std::string, std::string>& more) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    // A bash function that is named like a builtin would take its place in the job's script, see bash(1).
    if (std::strncmp(*variable, "BASH_FUNC_", 10) != 0) variables.emplace_back(*variable);
  }
  for (const auto& [name, value] : more) variables.push_back(name + "=" + value);
  return variables;
}

class SpawnSettings {
 public:
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions);
    for (int fd : {0, 1, 2}) ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    ::posix_spawnattr_init(&attributes);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

LocalTarget::LocalTarget(const std::string& workdir)
    : workdir_(fs::absolute(workdir.empty() ? fs::current_path() : fs::path(workdir)).lexically_normal().string()),
      boot_id_(BootIdOrNone()) {}

void LocalTarget::Reach(Duration) { MakeFolders(workdir_); }

TargetOutput LocalTarget::Run(const std::string& script, Duration longest) {
  const CommandResult result = RunCommand({"/bin/sh", "-c", script}, longest, CancelToken());
  return {result.exit_status, result.output, "", result.timed_out};
}

Submission LocalTarget::Submit(const JobOrder& order) {
  MakeFolders(fs::path(order.folder).parent_path());
  const bool fresh = ::mkdir(order.folder.c_str(), 0700) == 0;
  if (!fresh && errno != EEXIST) throw IoError("make the job folder", order.folder, errno);
  if (!fresh && IsForeign(order)) return {{}, false, true};
  if (!fresh) {
    // One that was started only just has not written its handle yet, and a second one might come before it.
    const bool submitted = ::access((order.folder + "/job.sh").c_str(), F_OK) == 0;
    for (const SteadyTime end = std::chrono::steady_clock::now() + kStartWait;;) {
      if (const auto handle = Find(order.folder)) return {*handle, true, false};
      if (!submitted || std::chrono::steady_clock::now() > end) break;
      std::this_thread::sleep_for(milliseconds(2));
    }
  }
  MakeFolders(order.folder + "/out");
  if (!order.owner.empty()) WriteFileAtomically(order.folder + "/owner", order.owner + "\n");
  WriteFile(order.folder + "/job.sh", order.script, 0700);
  if (::access((order.folder + "/pid").c_str(), F_OK) != 0) {
    WriteFile(order.folder + "/" + kReservedStatusFile, kReservedStatus);
  }
  AppendToFile(order.folder + "/run.log", "");  // there from now on, so that others can link to it
  if (!order.newest_log.empty()) {
    MakeFolders(fs::path(order.newest_log).parent_path());
    Symlink(order.folder + "/run.log", order.newest_log);
  }
  const pid_t pid = Start(order);
  if (fresh) {
    // Running, or a zombie that has written its handle.
    const auto process = FindProcess(pid);
    if (process) return {{order.folder, pid, process->start_time, boot_id_, ""}, false, false};
  }
  // An earlier engine made the folder and may have started the job; the job itself decides which of the two runs.
  const SteadyTime end = std::chrono::steady_clock::now() + kClaimWait;
  for (;;) {
    if (const auto handle = Find(order.folder)) {
      if (handle->pid != pid) ReapLoser(pid);
      return {*handle, handle->pid != pid, false};
    }
    if (std::chrono::steady_clock::now() > end) return {{order.folder, 0, 0, boot_id_, ""}, false, false};
    std::this_thread::sleep_for(milliseconds(2));
  }
}

// The job wrote it into its folder itself; it counts once it is whole.
std::optional<JobHandle> LocalTarget::Find(const std::string& folder) {
  std::string text;
  try {
    text = ReadOwnFile(folder + "/pid", kMaxFact);
  } catch (const Error&) {
    return std::nullopt;
  }
  if (text.empty() || text.back() != '\n') return std::nullopt;
  return ParseHandle(folder, text);
}

pid_t LocalTarget::Start(const JobOrder& order) {
  const SpawnSettings settings;
  std::string script = order.folder + "/job.sh";
  char shell[] = "/bin/sh";
  char* argv[] = {shell, script.data(), nullptr};
  std::vector<std::string> variables = Environment(order.environment);
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  pid_t pid = 0;
  // Entered as a child before anyone can wait for it.
  const std::lock_guard lock(mutex_);
  const int reason =
      ::posix_spawn(&pid, shell, &settings.actions, &settings.attributes, argv, envp.empty() ? environ : envp.data());
  if (reason != 0) {
    throw Error(ErrorCode::kUnavailable, std::string("cannot start a process: ") + std::strerror(reason));
  }
  children_.insert(pid);
  return pid;
}

void LocalTarget::ReapLoser(pid_t pid) {
  const std::lock_guard lock(mutex_);
  children_.erase(pid);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
}

void LocalTarget::Reap(pid_t pid) {
  const std::lock_guard lock(mutex_);
  const auto child = children_.find(pid);
  if (child == children_.end()) return;
  int status = 0;
  if (::waitpid(pid, &status, WNOHANG) != 0) children_.erase(child);
}

JobState LocalTarget::Poll(const JobHandle& handle) {
  const auto gone = [](FailureKind kind) { return JobState{JobState::Phase::kEnded, -1, kind, "", std::nullopt}; };
  if (const auto end = ReadEnd(handle.folder)) {
    Reap(static_cast<pid_t>(handle.pid));
    return *end;
  }
  if (WasRestarted(handle)) return gone(FailureKind::kHostRebooted);
  Reap(static_cast<pid_t>(handle.pid));
  if (SameProcess(handle)) {
    JobState state;
    state.ran = AgeOf(handle.pid_start_time);
    return state;
  }
  // It may have written its exit status between the two looks.
  if (const auto end = ReadEnd(handle.folder)) return *end;
  return gone(FailureKind::kKilled);
}

bool LocalTarget::WasRestarted(const JobHandle& handle) const {
  return handle.boot_id != boot_id_ && handle.boot_id != kNoBootId && boot_id_ != kNoBootId;
}

JobState LocalTarget::Wait(const JobHandle& handle, const CancelToken& cancel, Duration longest) {
  // glibc 2.35 has no pidfd_open yet.
  Fd process(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(handle.pid), 0)));
  if (!process.valid()) return Poll(handle);
  // Opened first and compared then: so the descriptor is that of the job and not of a later process.
  if (!SameProcess(handle)) return Poll(handle);
  pollfd wait[] = {{process.get(), POLLIN, 0}, {cancel.fd(), POLLIN, 0}};
  const auto ms =
      std::chrono::ceil<milliseconds>(std::clamp(longest, Duration::zero(), Duration(std::chrono::hours(1))));
  ::poll(wait, 2, static_cast<int>(ms.count()));
  return Poll(handle);
}

bool LocalTarget::Cancel(const JobHandle& handle, Duration grace) {
  if (WasRestarted(handle)) return true;
  SteadyTime end = std::chrono::steady_clock::now() + grace;
  int signal = SIGTERM;
  for (Duration pause = milliseconds(1);; pause = std::min<Duration>(pause * 2, milliseconds(50))) {
    Reap(static_cast<pid_t>(handle.pid));
    const std::vector<ProcessInfo> left = Survivors(handle);
    if (left.empty()) return true;
    if (signal == SIGTERM) {
      Signal(left, SIGTERM);
      signal = 0;
    }
    if (std::chrono::steady_clock::now() >= end) {
      if (signal == SIGKILL) return false;
      signal = SIGKILL;
      end = std::chrono::steady_clock::now() + kKillWait;
    }
    // Again and again: a process that is just being made was not yet there to be signalled.
    if (signal == SIGKILL) Signal(left, SIGKILL);
    std::this_thread::sleep_for(pause);
  }
}

LogPiece LocalTarget::ReadLog(const JobHandle& handle, std::int64_t offset, std::size_t limit) {
  const std::string path = handle.folder + "/run.log";
  LogPiece piece;
  const auto file = OpenRegular(path);
  if (!file) return piece;
  struct stat info {};
  if (::fstat(file->get(), &info) != 0) throw IoError("read", path, errno);
  piece.size = info.st_size;
  piece.file = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
  if (piece.size <= offset) return piece;
  piece.bytes.resize(std::min<std::size_t>(limit, static_cast<std::size_t>(piece.size - offset)));
  const ssize_t n = ::pread(file->get(), piece.bytes.data(), piece.bytes.size(), offset);
  if (n < 0) throw IoError("read", path, errno);
  piece.bytes.resize(static_cast<std::size_t>(n));
  return piece;
}

FollowEnd LocalTarget::FollowLog(const JobHandle& handle, std::int64_t offset, const CancelToken& stop,
                                 const BytesListener& on_bytes) {
  std::string file;
  while (!stop.cancelled()) {
    const LogPiece piece = ReadLog(handle, offset, kLogPiece);
    if (file.empty()) file = piece.file;
    if (piece.size < offset || piece.file != file) return FollowEnd::kChanged;
    if (!piece.bytes.empty()) {
      offset += static_cast<std::int64_t>(piece.bytes.size());
      on_bytes(piece.bytes);
    } else {
      stop.WaitFor(kLogPause);
    }
  }
  return FollowEnd::kStopped;
}

LogDigest LocalTarget::DigestOfLog(const JobHandle& handle, std::int64_t size) {
  const fs::path path = handle.folder + "/run.log";
  std::error_code error;
  if (fs::symlink_status(path, error).type() != fs::file_type::regular) return {};
  const auto whole = static_cast<std::int64_t>(fs::file_size(path, error));
  if (error) return {};
  return {size < 0 ? whole : std::min(size, whole), Sha256OfFile(path, size)};
}

FolderListing LocalTarget::List(const std::string& folder, const std::string& within, bool deep) {
  return ListFolder(folder, within, deep);
}

void LocalTarget::Upload(const std::vector<FileTransfer>& files, const std::string&, const CancelToken& cancel,
                         const TransferListener&) {
  for (const FileTransfer& file : files) {
    if (cancel.cancelled()) return;
    MakeFolders(fs::path(file.remote).parent_path());
    LinkOrCopy(file.local, file.remote);
  }
}

std::vector<Downloaded> LocalTarget::Download(const std::vector<FileTransfer>& files, const CancelToken&,
                                              const TransferListener&) {
  std::vector<Downloaded> results;
  for (const FileTransfer& file : files) {
    results.push_back(PresenceOf(file));
    if (results.back() != Downloaded::kDone) continue;
    MakeFolders(file.local.parent_path());
    // A link would point to nothing from there, and what it points to may be another output.
    if (fs::is_symlink(file.remote)) {
      LinkOrCopy(fs::canonical(file.remote), file.local);
    } else {
      MoveFile(file.remote, file.local);
    }
  }
  return results;
}

}  // namespace cosmos
