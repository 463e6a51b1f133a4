#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/sha256.h"
#include "target/target.h"

namespace cosmos {

// A target that has the log of one job, in memory, and one answer to all commands; for tests. Thread-safe.
class FakeTarget : public Target {
 public:
  // --- What happens on the host.
  void Write(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    exists_ = true;
    log_ += bytes;
  }
  // The same file, with other content.
  void Truncate(std::string_view content) {
    const std::lock_guard lock(mutex_);
    log_ = content;
    ++changes_;
  }
  // Another file in its place.
  void Replace(std::string_view content) {
    const std::lock_guard lock(mutex_);
    exists_ = true;
    log_ = content;
    ++file_;
    ++changes_;
  }
  void Remove() {
    const std::lock_guard lock(mutex_);
    exists_ = false;
    log_.clear();
    ++changes_;
  }
  std::string log() const {
    const std::lock_guard lock(mutex_);
    return log_;
  }

  // --- How following goes: so many bytes at once; the new content before the word of a change, as GNU tail has it; no
  // word at all; an end that comes with the next call.
  void SetPiece(std::size_t bytes) { piece_ = bytes; }
  void SetWordComesLate() { word_comes_late_ = true; }
  void EndNextFollow(FollowEnd end) { next_end_ = end; }
  // Called before each ReadLog, on its thread, such as to change something just then, or to throw.
  void BeforeRead(std::function<void()> call) {
    const std::lock_guard lock(mutex_);
    before_read_ = std::move(call);
  }

  // What a command prints.
  void SetAnswer(const std::string& output) {
    const std::lock_guard lock(mutex_);
    answer_ = output;
  }

  // Called before each Run, on its thread.
  void OnRun(std::function<void()> call) {
    const std::lock_guard lock(mutex_);
    on_run_ = std::move(call);
  }

  // --- What was asked.
  std::size_t bytes_read() const { return bytes_read_; }
  int reads() const { return reads_; }
  int followers() const { return followers_; }

  void Reach(Duration) override {}
  std::string Workdir() override { return "/work"; }
  bool IsLocal() const override { return false; }
  TargetOutput Run(const std::string&, Duration) override {
    const std::lock_guard lock(mutex_);
    if (on_run_) on_run_();
    return {0, answer_, "", false};
  }
  Submission Submit(const JobOrder&) override { return {}; }
  std::optional<JobHandle> Find(const std::string&) override { return std::nullopt; }
  JobState Poll(const JobHandle&) override { return {}; }
  JobState Wait(const JobHandle&, const CancelToken&, Duration) override { return {}; }
  bool Cancel(const JobHandle&, Duration) override { return true; }
  FolderListing List(const std::string&, const std::string&, bool) override { return {}; }
  void Upload(const std::vector<FileTransfer>&, const std::string&, const CancelToken&,
              const TransferListener&) override {}
  std::vector<Downloaded> Download(const std::vector<FileTransfer>&, const CancelToken&,
                                   const TransferListener&) override {
    return {};
  }

  LogPiece ReadLog(const JobHandle&, std::int64_t offset, std::size_t limit) override {
    std::function<void()> before;
    {
      const std::lock_guard lock(mutex_);
      before = before_read_;
    }
    if (before) before();
    const std::lock_guard lock(mutex_);
    ++reads_;
    LogPiece piece;
    if (!exists_) return piece;
    piece.size = static_cast<std::int64_t>(log_.size());
    piece.file = std::to_string(file_);
    if (offset < piece.size) piece.bytes = log_.substr(static_cast<std::size_t>(offset), limit);
    bytes_read_ += piece.bytes.size();
    return piece;
  }

  FollowEnd FollowLog(const JobHandle&, std::int64_t offset, const CancelToken& stop,
                      const BytesListener& on_bytes) override {
    if (const auto end = next_end_.exchange(FollowEnd::kStopped); end != FollowEnd::kStopped) return end;
    const Counted counted(&followers_);
    int changes = -1;
    while (!stop.cancelled()) {
      std::string bytes;
      bool changed = false;
      {
        const std::lock_guard lock(mutex_);
        if (changes < 0) changes = changes_;
        changed = changes != changes_;
        if (changed && word_comes_late_) {
          bytes = log_;
        } else if (!changed && offset < static_cast<std::int64_t>(log_.size())) {
          bytes = log_.substr(static_cast<std::size_t>(offset), piece_);
        }
      }
      offset += static_cast<std::int64_t>(bytes.size());
      if (!bytes.empty()) on_bytes(bytes);
      if (changed) return FollowEnd::kChanged;
      if (bytes.empty()) stop.WaitFor(std::chrono::milliseconds(1));
    }
    return FollowEnd::kStopped;
  }

  LogDigest DigestOfLog(const JobHandle&, std::int64_t size) override {
    const std::lock_guard lock(mutex_);
    if (!exists_) return {};
    const std::string begin = log_.substr(0, size < 0 ? log_.npos : static_cast<std::size_t>(size));
    return {static_cast<std::int64_t>(begin.size()), Sha256(begin)};
  }

 private:
  struct Counted {
    explicit Counted(std::atomic<int>* count) : count_(count) { ++*count_; }
    ~Counted() { --*count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    std::atomic<int>* count_;
  };

  std::atomic<std::size_t> piece_ = std::size_t{1} << 20;
  std::atomic<bool> word_comes_late_ = false;
  std::atomic<FollowEnd> next_end_ = FollowEnd::kStopped;
  std::atomic<std::size_t> bytes_read_ = 0;
  std::atomic<int> reads_ = 0;
  std::atomic<int> followers_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::string log_;
  bool exists_ = true;
  int file_ = 1;
  int changes_ = 0;  // of what stood there
  std::function<void()> before_read_;
  std::function<void()> on_run_;
  std::string answer_;
};

}  // namespace cosmos
