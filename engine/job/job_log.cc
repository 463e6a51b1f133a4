#include "job/job_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/sha256.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kPiece = 1 << 20;
constexpr std::size_t kMostPending = 4 << 20;  // bytes that wait for the listener
constexpr std::size_t kOverlap = 64 << 10;
constexpr auto kHere = milliseconds(100);  // how often a log is looked at on this machine
constexpr auto kThere = seconds(2);        // and on another one, when no hook brings it
constexpr auto kHookIsGone = seconds(10);  // when it has asked for nothing for so long

constexpr std::int64_t kMaxBehind = 64 << 20;  // bytes that a listener gets when the job has ended
constexpr int kMaxLooks = 64;                  // of one Pump, which leaves the rest to the next
constexpr int kMaxChanges = 8;                 // of a log whose job has ended
constexpr auto kTimeAfterCancel = std::chrono::minutes(2);

constexpr const char* kChangedThere = "the job's log was truncated or replaced on its target";

// Thrown to end following a log.
struct Enough {};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

JobLog::JobLog(Order order) : order_(std::move(order)), stream_masker_(order_.masker) {
  MakePrivateFolder(order_.local.parent_path());
  linked_ = order_.target->IsLocal() && order_.masker->empty() && Link();
  if (!linked_) OpenLocal();
}

// Gives the job's log a second name. False where the file system has no hard links or the two lie on different ones.
bool JobLog::Link() {
  const std::string log = order_.handle.folder + "/run.log";
  std::error_code error;
  if (fs::symlink_status(log, error).type() != fs::file_type::regular) return false;
  if (::link(log.c_str(), order_.local.c_str()) == 0) return true;
  if (errno == EEXIST && fs::equivalent(log, order_.local, error)) return true;
  fs::remove(order_.local, error);
  return ::link(log.c_str(), order_.local.c_str()) == 0;
}

void JobLog::OpenLocal() {
  local_.emplace(order_.local, order_.max_bytes, order_.handle.folder + "/run.log on its target");
  if (local_->size() == 0) return;
  const LogDigest theirs = order_.target->DigestOfLog(order_.handle, local_->size());
  if (theirs.size == local_->size() && theirs.sha256 == Sha256OfFile(order_.local)) {
    position_ = local_->size();
  } else {
    local_->Clear();
  }
}

std::int64_t JobLog::Position() {
  const std::lock_guard lock(mutex_);
  last_asked_ = Now();
  return linked_ || closed_.cancelled() ? -1 : position_;
}

std::optional<std::string> JobLog::Read(std::int64_t position, std::size_t limit) {
  if (linked_ || closed_.cancelled()) return std::nullopt;
  LogPiece piece = order_.target->ReadLog(order_.handle, position, std::min(limit, kPiece));
  std::unique_lock lock(mutex_);
  last_asked_ = Now();
  if (closed_.cancelled()) return std::nullopt;
  if (position != position_) return "";  // another one was quicker
  if (HasChanged(piece)) {
    Restart(piece.file);
    lock.unlock();
    Complain(kChangedThere);
    return "";
  }
  if (!piece.file.empty()) file_ = piece.file;
  return std::move(piece.bytes);
}

FollowEnd JobLog::Follow(std::int64_t position,
                         const std::function<bool(std::int64_t position, std::string_view bytes)>& on_bytes) {
  if (linked_) return FollowEnd::kStopped;
  {
    const std::lock_guard lock(mutex_);
    if (position != position_) return FollowEnd::kChanged;
    ++followers_;
  }
  const std::int64_t begin = position;
  FollowEnd end = FollowEnd::kStopped;
  std::exception_ptr failure;
  try {
    // Who follows sees no more than what changes from then on.
    if (NoticeChange(position, 0)) {
      end = FollowEnd::kChanged;
    } else {
      end = order_.target->FollowLog(order_.handle, position, closed_, [&](std::string_view bytes) {
        if (!on_bytes(position, bytes)) throw Enough();
        position += static_cast<std::int64_t>(bytes.size());
      });
      // Without a change it cannot be followed now, for whatever reason.
      if (end == FollowEnd::kChanged && !NoticeChange(position, position - begin)) closed_.WaitFor(seconds(1));
    }
  } catch (const Enough&) {
    end = FollowEnd::kLost;
  } catch (...) {
    failure = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  --followers_;
  last_asked_ = Now();
  if (failure) std::rethrow_exception(failure);
  return closed_.cancelled() ? FollowEnd::kStopped : end;
}

bool JobLog::NoticeChange(std::int64_t position, std::int64_t followed) {
  const LogPiece piece = order_.target->ReadLog(order_.handle, position, 0);
  const std::string head = followed > 0 ? order_.target->ReadLog(order_.handle, 0, kOverlap).bytes : "";
  std::unique_lock lock(mutex_);
  if (!HasChanged(piece)) {
    if (file_.empty()) file_ = piece.file;
    return false;
  }
  if (position == position_ && !closed_.cancelled()) {
    Restart(piece.file, followed, head);
    lock.unlock();
    Complain(kChangedThere);
  }
  return true;
}

void JobLog::Append(std::int64_t position, std::string_view bytes) {
  std::unique_lock lock(mutex_);
  last_asked_ = Now();
  if (linked_ || closed_.cancelled()) return;
  if (position > position_) {
    throw Error(ErrorCode::kInvalidInput,
                fmt::format("found bytes at {} of a log that is local up to {}", position, position_));
  }
  const std::int64_t known = position_ - position;
  if (known >= static_cast<std::int64_t>(bytes.size())) return;
  AppendLocked(&lock, bytes.substr(static_cast<std::size_t>(known)), true);
}

void JobLog::AppendLocked(std::unique_lock<std::mutex>* lock, std::string_view bytes, bool may_wait) {
  const std::string masked = order_.masker->empty() ? std::string() : stream_masker_.Add(bytes);
  const std::string_view text = order_.masker->empty() ? bytes : std::string_view(masked);
  if (local_) {
    local_->Append(text);
    plain_ = plain_ && order_.masker->empty() && !local_->cut();
  }
  position_ += static_cast<std::int64_t>(bytes.size());
  if (order_.listener && !silent_) pending_ += text;
  const std::int64_t size = local_ ? local_->size() : position_;
  if (may_wait) {
    // The listener reads no slower than it must, but memory is bounded all the same.
    while (pending_.size() > kMostPending && !closed_.cancelled()) delivered_.wait_for(*lock, milliseconds(100));
  }
  lock->unlock();
  if (order_.on_grown && local_) order_.on_grown(size);
  lock->lock();
}

bool JobLog::HasChanged(const LogPiece& piece) const {
  if (piece.file.empty()) return false;  // there is none yet, or none for the moment
  return piece.size < position_ || (!file_.empty() && piece.file != file_);
}

void JobLog::Restart(const std::string& file, std::int64_t followed, const std::string& head) {
  std::size_t same = 0;
  if (local_ && order_.masker->empty()) {
    // While it was followed its new content may have come before the word of the change.
    const std::string tail = local_->Tail(std::min<std::size_t>(kOverlap, static_cast<std::size_t>(followed)));
    same = std::min(head.size(), tail.size());
    while (same > 0 && tail.compare(tail.size() - same, same, head, 0, same) != 0) --same;
    local_->Shorten(static_cast<std::int64_t>(same));
  }
  if (local_) {
    const std::string held = stream_masker_.Finish();
    local_->Append(held);
    if (order_.listener && !silent_) pending_ += held;
    const std::string last = local_->Tail(1);
    local_->Append(
        (last.empty() || last == "\n" ? "" : "\n") +
        std::string("[cosmos-engine] the log was truncated or replaced on its target; here it begins anew\n"));
    local_->Append(head.substr(0, same));
  }
  plain_ = false;
  position_ = static_cast<std::int64_t>(same);
  file_ = file;
}

std::optional<Duration> JobLog::PumpInterval() const {
  if (linked_ && !order_.listener) return std::nullopt;
  // A listener hears soon of what a hook has brought.
  const std::lock_guard lock(mutex_);
  return order_.target->IsLocal() || (Hooked() && order_.listener) ? kHere : Duration(kThere);
}

bool JobLog::Hooked() const {
  return followers_ > 0 || (last_asked_ != SteadyTime() && Now() - last_asked_ < kHookIsGone);
}

void JobLog::Pump() {
  Deliver();
  bool hooked;
  {
    const std::lock_guard lock(mutex_);
    hooked = Hooked();
  }
  if (!(linked_ ? static_cast<bool>(order_.listener) : !hooked)) return;
  Bring([](int looks, int changes) { return looks < kMaxLooks && changes <= 1; });
}

void JobLog::SkipToEnd() {
  const LogPiece piece = order_.target->ReadLog(order_.handle, position_, 0);
  const std::lock_guard lock(mutex_);
  position_ = std::max(position_, piece.size - kMaxBehind);
}

void JobLog::BringAll() {
  SteadyTime end = SteadyTime::max();
  bool gave_up = false;
  Bring([&](int, int changes) {
    if (order_.cancel != nullptr && order_.cancel->cancelled()) end = std::min(end, Now() + kTimeAfterCancel);
    gave_up = changes > kMaxChanges || Now() >= end;
    return !gave_up;
  });
  if (gave_up) Complain("the target has no end of the job's log; the rest stays there");
}

void JobLog::Bring(const std::function<bool(int looks, int changes)>& goes_on) {
  int changes = 0;
  bool more = true;
  for (int looks = 0; more && goes_on(looks, changes); ++looks) {
    std::unique_lock lock(mutex_);
    const std::int64_t position = position_;
    lock.unlock();
    const LogPiece piece = order_.target->ReadLog(order_.handle, position, kPiece);
    lock.lock();
    if (position != position_) continue;
    if (HasChanged(piece)) {
      Restart(piece.file);
      ++changes;
      lock.unlock();
      Complain(kChangedThere);
      continue;
    }
    if (!piece.file.empty()) file_ = piece.file;
    if (!piece.bytes.empty()) AppendLocked(&lock, piece.bytes, false);
    // Less than was asked for was all there was, and asking again can wait.
    more = piece.bytes.size() == kPiece;
    lock.unlock();
    Deliver();
  }
}

void JobLog::Deliver() {
  std::string bytes;
  {
    const std::lock_guard lock(mutex_);
    bytes.swap(pending_);
  }
  delivered_.notify_all();
  if (!bytes.empty()) order_.listener(bytes);
}

std::int64_t JobLog::Finish() {
  Close();
  delivered_.notify_all();
  if (linked_ && order_.listener) SkipToEnd();
  if (!linked_ || order_.listener) BringAll();
  std::unique_lock lock(mutex_);
  const std::string rest = stream_masker_.Finish();
  if (local_) local_->Append(rest);
  if (order_.listener) pending_ += rest;
  lock.unlock();
  Deliver();
  if (local_ && plain_ && !order_.target->IsLocal()) Verify();
  // The job may have removed its own folder, or what is in it.
  std::error_code error;
  const fs::path own = order_.handle.folder + "/run.log";
  // The raw log, with whatever secrets the job printed, does not outlive the job.
  if (!order_.masker->empty() && order_.target->IsLocal() && fs::is_directory(own.parent_path(), error))
    LinkOrCopy(order_.local, own);
  const bool there = fs::symlink_status(own, error).type() == fs::file_type::regular;
  if (linked_) LocalLog::CutLink(there ? own : order_.local, order_.local, order_.max_bytes, own);
  return static_cast<std::int64_t>(fs::file_size(order_.local, error));
}

void JobLog::Verify() {
  const auto same = [this] {
    const LogDigest theirs = order_.target->DigestOfLog(order_.handle, -1);
    if (theirs.sha256.empty()) return true;  // a log that is gone leaves nothing to compare with
    std::error_code error;
    return fs::exists(order_.local, error) && theirs.size == local_->size() &&
           theirs.sha256 == Sha256OfFile(order_.local);
  };
  if (same()) return;
  // What is here may be all that is left of something, so it is kept beside.
  const fs::path aside = order_.local.string() + ".differs";
  std::error_code error;
  {
    const std::lock_guard lock(mutex_);
    fs::rename(order_.local, aside, error);
    if (error && error != std::errc::no_such_file_or_directory) {
      throw IoError("rename", order_.local.string(), error.value());
    }
    local_.emplace(order_.local, order_.max_bytes, order_.handle.folder + "/run.log on its target");
    position_ = 0;
    silent_ = true;
  }
  BringAll();
  Complain("the local log differed from the job's own and was brought anew; the former one is " +
           (error ? "gone" : aside.string()) + (!plain_ || same() ? "" : "; it still differs"));
}

void JobLog::Complain(const std::string& text) const {
  if (order_.on_trouble) order_.on_trouble(text);
}

}  // namespace cosmos
