#include "target/ssh/ssh_target.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "target/ssh/file_transfers.h"
#include "target/ssh/list_script.h"
#include "target/ssh/remote_scripts.h"
#include "target/ssh/transfer_items.h"
#include "target/ssh/workdir_script.h"

namespace cosmos {
namespace {

using std::chrono::seconds;

constexpr auto kPollInterval = seconds(2);  // where a job cannot be watched
constexpr auto kLongestWatch =
    seconds(30);  // where the host's process 1 leaves dead processes lying, a watch ends late

constexpr auto kMaxListTime = std::chrono::minutes(10);  // of a folder on a slow file system
constexpr std::size_t kMaxPath = 4096;
constexpr std::size_t kMaxLine = 256;
constexpr long kSlowLink = 16 << 10;  // bytes/s that any link has

constexpr auto kTurnTick = std::chrono::milliseconds(100);

struct StopAtEnd {
  SshExchange* exchange;
  ~StopAtEnd() { exchange->Stop(); }
};

}  // namespace

SshTarget::SshTarget(const SshOptions& options, std::string workdir, const CancelToken* cancel,
                     SshConnection::Observer observer, bool shared_workdir)
    : workdir_option_(workdir.empty() ? kDefaultWorkdir : std::move(workdir)),
      shared_workdir_(shared_workdir),
      shell_(options, cancel, std::move(observer)) {}

std::string SshTarget::Workdir() {
  {
    const std::lock_guard lock(mutex_);
    if (!workdir_.empty()) return workdir_;
  }
  std::string folder = AskForWorkdir(true);
  const std::lock_guard lock(mutex_);
  return workdir_ = folder;
}

std::string SshTarget::FindWorkdir() { return AskForWorkdir(false); }

std::string SshTarget::AskForWorkdir(bool make) {
  TargetOutput answer = shell_.Ask({WorkdirScript(workdir_option_, {make, shared_workdir_})}).command;
  while (!answer.output.empty() && answer.output.back() == '\n') answer.output.pop_back();
  const std::string& said = answer.output;
  if (answer.exit_status == 0) {
    const bool is_path = !said.empty() && said.front() == '/' && said.size() < kMaxPath &&
                         std::none_of(said.begin(), said.end(), [](unsigned char c) { return std::iscntrl(c) != 0; });
    if (is_path) return said;
    throw Error(ErrorCode::kUnavailable,
                "the host " + shell_.name() + " gives '" + Excerpt(said) + "' as its folder for jobs",
                "expected an absolute path without control characters: check `workdir:` of the target");
  }
  if (answer.exit_status == kUnsafeWorkdir) {
    throw Error(
        ErrorCode::kInvalidInput,
        "the workdir '" + workdir_option_ + "' of the host " + shell_.name() + " is not safe: " + Excerpt(said) +
            "; whoever can replace files there can forge results and run commands as you",
        "choose a `workdir:` below your home folder, or fix the owner and mode (`chmod go-w`); if you trust all "
        "who can write there, give the target `shared_workdir: true`");
  }
  throw Error(ErrorCode::kUnavailable, "the host " + shell_.name() + " cannot use the workdir '" + workdir_option_ +
                                           "': " + Excerpt(answer.errors.empty() ? said : answer.errors));
}

TargetOutput SshTarget::Run(const std::string& script, Duration longest) { return shell_.Run(script, longest); }

Submission SshTarget::Submit(const JobOrder& order) {
  const RemoteShell::Answer answer = shell_.Ask({SubmitScript(order)});
  const std::string& said = answer.command.output;
  if (said == "foreign\n") return {{}, false, true};
  const std::size_t space = said.find(' ');
  const auto handle = space == said.npos ? std::nullopt : ParseHandle(order.folder, said.substr(space + 1));
  if (!handle) {
    const std::string& reason = answer.command.errors.empty() ? said : answer.command.errors;
    throw Error(ErrorCode::kUnavailable,
                "the host " + shell_.name() + " cannot start the job in " + order.folder + ": " + Excerpt(reason));
  }
  return {*handle, said.substr(0, space) == "attached" && !answer.repeated, false};
}

std::optional<JobHandle> SshTarget::Find(const std::string& folder) {
  return ParseHandle(folder, shell_.Demand({FindScript(folder)}));
}

JobState SshTarget::Poll(const JobHandle& handle) { return ParseState(shell_.Demand({PollScript(handle)})); }

JobState SshTarget::Wait(const JobHandle& handle, const CancelToken& cancel, Duration longest) {
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const SteadyTime end = now() + std::clamp(longest, Duration::zero(), Duration(std::chrono::hours(1)));
  while (!cancel.cancelled()) {
    const Watch watch = WatchOf(handle);
    const SteadyTime until = std::min(end, watch.next_poll);
    bool told = false;
    if (!watch.exchange) {
      cancel.WaitFor(until - now());
    } else {
      told = !watch.exchange->Read(until, &cancel).empty();
      if (watch.exchange->end() == SshExchange::End::kRefused) {
        ForgetWatch(handle.folder);
        std::rethrow_exception(watch.exchange->failure());
      }
      const bool over = watch.exchange->ended();
      told = told || (over && watch.exchange->end() == SshExchange::End::kExited);
      if (over && watch.exchange->end() == SshExchange::End::kBusy) {
        SetWatch(handle.folder, {nullptr, now() + kPollInterval});
      } else if (over && !told) {
        ForgetWatch(handle.folder);  // the connection was lost; watched again when there is one
      }
    }
    if (cancel.cancelled()) break;
    if (told || now() >= watch.next_poll) {
      ForgetWatch(handle.folder);
      const JobState state = Poll(handle);
      if (state.phase == JobState::Phase::kEnded) return state;
      // Told too early: it cannot be watched there.
      if (told) SetWatch(handle.folder, {nullptr, now() + kPollInterval});
    }
    if (now() >= end) break;
  }
  return {};
}

SshTarget::Watch SshTarget::WatchOf(const JobHandle& handle) {
  const std::lock_guard lock(mutex_);
  const auto [watch, is_new] = watches_.try_emplace(handle.folder);
  if (is_new) {
    watch->second = {shell_.Start(WatchScript(handle), SshExchange::Kind::kWatch),
                     std::chrono::steady_clock::now() + kLongestWatch};
  }
  return watch->second;
}

void SshTarget::SetWatch(const std::string& folder, Watch watch) {
  const std::lock_guard lock(mutex_);
  watches_[folder] = std::move(watch);
}

void SshTarget::ForgetWatch(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  const auto watch = watches_.find(folder);
  if (watch == watches_.end()) return;
  if (watch->second.exchange) watch->second.exchange->Stop();
  watches_.erase(watch);
}

bool SshTarget::Cancel(const JobHandle& handle, Duration grace) {
  ForgetWatch(handle.folder);
  return shell_.Demand({.script = CancelScript(handle, grace), .work = grace}) == "gone\n";
}

LogPiece SshTarget::ReadLog(const JobHandle& handle, std::int64_t offset, std::size_t limit) {
  LogPiece piece = ParseLogPiece(shell_.Demand(
      {ReadLogScript(handle, offset, limit), limit + kMaxLine, seconds(static_cast<long>(limit) / kSlowLink)}));
  if (piece.bytes.size() > limit) piece.bytes.resize(limit);
  return piece;
}

FollowEnd SshTarget::FollowLog(const JobHandle& handle, std::int64_t offset, const CancelToken& stop,
                               const BytesListener& on_bytes) {
  const auto follow = shell_.Start(FollowLogScript(handle, offset), SshExchange::Kind::kFollow);
  const StopAtEnd stopper{follow.get()};
  for (;;) {
    const std::string bytes = follow->Read(std::chrono::steady_clock::now() + std::chrono::hours(1), &stop);
    if (!bytes.empty()) on_bytes(bytes);
    const bool changed = FollowSawChange(follow->Errors());
    if (changed) return FollowEnd::kChanged;
    if (stop.cancelled()) return FollowEnd::kStopped;
    if (!follow->ended()) continue;
    switch (follow->end()) {
      case SshExchange::End::kBusy:
        return FollowEnd::kBusy;
      case SshExchange::End::kRefused:
        std::rethrow_exception(follow->failure());
      case SshExchange::End::kExited:
        return FollowEnd::kChanged;
      default:
        return FollowEnd::kLost;
    }
  }
}

LogDigest SshTarget::DigestOfLog(const JobHandle& handle, std::int64_t size) {
  const Duration work = size < 0 ? kMaxSumTime : Duration(seconds(size / kSumRate));
  const std::string said = shell_.Demand({DigestOfLogScript(handle, size), kMaxLine, work});
  LogDigest digest;
  digest.size = std::atoll(said.c_str());
  const std::size_t space = said.find(' ');
  if (space != said.npos) digest.sha256 = said.substr(space + 1, 64);
  return digest;
}

FolderListing SshTarget::List(const std::string& folder, const std::string& within, bool deep) {
  return ParseListing(shell_.Demand({ListScript(folder, within, deep), kMaxListReply, kMaxListTime}));
}

// Without the lock when `cancel` was cancelled first.
std::unique_lock<std::timed_mutex> SshTarget::TransferTurn(const CancelToken& cancel) {
  std::unique_lock lock(transfers_, std::defer_lock);
  while (!cancel.cancelled() && !lock.try_lock_for(kTurnTick)) {
  }
  return lock;
}

void SshTarget::Upload(const std::vector<FileTransfer>& files, const std::string& owner, const CancelToken& cancel,
                       const TransferListener& listener) {
  const std::unique_lock lock = TransferTurn(cancel);
  if (!lock) return;
  UploadFiles(&shell_, files, owner, cancel, listener);
}

std::vector<Downloaded> SshTarget::Download(const std::vector<FileTransfer>& files, const CancelToken& cancel,
                                            const TransferListener& listener) {
  const std::unique_lock lock = TransferTurn(cancel);
  if (!lock) return {};
  return DownloadFiles(&shell_, files, cancel, listener);
}

}  // namespace cosmos
