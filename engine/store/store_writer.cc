#include "store/store_writer.h"

#include <chrono>
#include <utility>

namespace cosmos {
namespace {

// How long changes that nobody waits for may gather. A crash within this time loses only what a resumed run finds
// again.
constexpr std::chrono::milliseconds kGather{5};

}  // namespace

StoreWriter::StoreWriter(RunStore* store) : store_(store), thread_([this] { CommitNowAndThen(); }) {}

StoreWriter::~StoreWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void StoreWriter::Write(Change change) { Enqueue(std::move(change)); }

void StoreWriter::WriteAndWait(Change change) { WaitFor(Enqueue(std::move(change))); }

void StoreWriter::Flush() {
  std::uint64_t last;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    last = last_given_;
  }
  WaitFor(last);
}

std::uint64_t StoreWriter::Enqueue(Change change) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  waiting_.push_back(std::move(change));
  if (idle_) changed_.notify_one();
  return ++last_given_;
}

void StoreWriter::WaitFor(std::uint64_t number) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (last_committed_ < number && failure_ == nullptr) {
    if (committing_) {
      committed_.wait(lock);
    } else {
      CommitWaiting(&lock);
    }
  }
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

void StoreWriter::CommitWaiting(std::unique_lock<std::mutex>* lock) {
  committing_ = true;
  std::vector<Change> batch = std::exchange(waiting_, {});
  const std::size_t changes = batch.size();
  lock->unlock();
  std::exception_ptr failure;
  try {
    store_->InTransaction([&] {
      for (const Change& change : batch) change(*store_);
    });
  } catch (...) {
    failure = std::current_exception();
  }
  batch.clear();
  lock->lock();
  committing_ = false;
  if (failure == nullptr) {
    last_committed_ += changes;
  } else {
    failure_ = failure;
    waiting_.clear();  // before those who wait for them are woken, as the changes may refer to what is theirs
  }
  committed_.notify_all();
}

void StoreWriter::CommitNowAndThen() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    idle_ = true;
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    idle_ = false;
    changed_.wait_for(lock, kGather, [this] { return stopping_; });
    committed_.wait(lock, [this] { return !committing_; });
    if (!waiting_.empty()) CommitWaiting(&lock);
    if (stopping_ && waiting_.empty()) return;
  }
}

}  // namespace cosmos
