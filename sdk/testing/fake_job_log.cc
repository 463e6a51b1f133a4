// SPDX-License-Identifier: BSL-1.0
#include "testing/fake_job_log.h"

#include <algorithm>
#include <chrono>
#include <cosmos/text.hpp>
#include <utility>

namespace cosmos::sdk::testing {
namespace {

constexpr std::chrono::minutes kPatience{1};
constexpr std::size_t kPiece = 4096;  // follow gives no more at once

}  // namespace

void FakeJobLog::Write(std::string_view bytes) {
  const Lock lock(mutex_);
  remote_ += bytes;
  changed_.notify_all();
}

void FakeJobLog::Replace(std::string_view bytes) {
  const Lock lock(mutex_);
  remote_ = bytes;
  replaced_ = true;
  changed_.notify_all();
}

void FakeJobLog::Close() {
  const Lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void FakeJobLog::RefuseFollow(int calls) {
  const Lock lock(mutex_);
  refusals_ = calls;
}

void FakeJobLog::LoseConnectionAfter(std::size_t bytes) {
  const Lock lock(mutex_);
  until_loss_ = bytes;
  changed_.notify_all();
}

void FakeJobLog::FailAppend(std::string sentence) {
  const Lock lock(mutex_);
  append_error_ = std::move(sentence);
}

void FakeJobLog::Then(std::function<void()> step) {
  const Lock lock(mutex_);
  steps_.push_back(std::move(step));
  changed_.notify_all();
}

std::string FakeJobLog::local() const {
  const Lock lock(mutex_);
  return local_;
}

FakeJobLog::Calls FakeJobLog::calls() const {
  const Lock lock(mutex_);
  return calls_;
}

bool FakeJobLog::AwaitLocal(std::string_view text) const {
  Lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return local_ == text; });
}

bool FakeJobLog::AwaitFollower() const {
  Lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return follower_waits_; });
}

std::int64_t FakeJobLog::Position() const {
  const Lock lock(mutex_);
  return closed_ ? -1 : position_;
}

cosmos_status FakeJobLog::Read(std::int64_t position, std::size_t limit, cosmos_sink bytes, cosmos_sink error) {
  const Lock lock(mutex_);
  calls_.reads.push_back(position);
  if (closed_) return COSMOS_CANCELLED;
  if (BeginAnew()) return COSMOS_OK;
  if (position < 0 || static_cast<std::size_t>(position) > remote_.size()) {
    cosmos::sdk::Write(error, "no such position in the log");
    return COSMOS_ERROR;
  }
  cosmos::sdk::Write(bytes, std::string_view(remote_).substr(static_cast<std::size_t>(position), limit));
  return COSMOS_OK;
}

cosmos_status FakeJobLog::Follow(std::int64_t position, std::int32_t (*on_bytes)(void*, std::int64_t, cosmos_str),
                                 void* self) {
  Lock lock(mutex_);
  calls_.follows.push_back(position);
  if (closed_) return COSMOS_CANCELLED;
  if (refusals_ > 0) {
    --refusals_;
    return COSMOS_FAILED;
  }
  while (!closed_) {
    if (BeginAnew()) return COSMOS_OK;
    if (until_loss_ == 0u) {
      until_loss_.reset();
      return COSMOS_OK;
    }
    const auto start = static_cast<std::size_t>(position);
    if (start < remote_.size()) {
      const std::string piece = remote_.substr(start, std::min(kPiece, until_loss_.value_or(kPiece)));
      if (until_loss_) *until_loss_ -= piece.size();
      lock.unlock();
      const bool enough = on_bytes(self, position, ToC(piece)) == 0;
      lock.lock();
      if (enough) return COSMOS_OK;
      position += static_cast<std::int64_t>(piece.size());
    } else if (!RunStep(&lock)) {
      follower_waits_ = true;
      changed_.notify_all();
      changed_.wait(lock);
      follower_waits_ = false;
    }
  }
  return COSMOS_CANCELLED;
}

cosmos_status FakeJobLog::Append(std::int64_t position, std::string_view bytes, cosmos_sink error) {
  const Lock lock(mutex_);
  if (closed_) return COSMOS_OK;
  if (!append_error_.empty() || position > position_) {
    cosmos::sdk::Write(error, append_error_.empty() ? "these bytes would leave a gap in the local log" : append_error_);
    return COSMOS_ERROR;
  }
  const std::size_t known = std::min(static_cast<std::size_t>(position_ - position), bytes.size());
  calls_.repeated += known;
  local_ += bytes.substr(known);
  position_ += static_cast<std::int64_t>(bytes.size() - known);
  changed_.notify_all();
  return COSMOS_OK;
}

bool FakeJobLog::Wait(std::int64_t milliseconds) {
  Lock lock(mutex_);
  calls_.waits.push_back(milliseconds);
  if (closed_ || RunStep(&lock)) return closed_;
  return changed_.wait_for(lock, std::chrono::milliseconds(milliseconds), [&] { return closed_; });
}

bool FakeJobLog::RunStep(Lock* lock) {
  if (steps_.empty()) return false;
  const std::function<void()> step = std::move(steps_.front());
  steps_.pop_front();
  lock->unlock();
  step();
  lock->lock();
  return true;
}

bool FakeJobLog::BeginAnew() {
  if (!replaced_) return false;
  replaced_ = false;
  local_ += kReplaced;
  position_ = 0;
  changed_.notify_all();
  return true;
}

}  // namespace cosmos::sdk::testing
