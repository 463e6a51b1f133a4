#include "store/store_writer.h"

#include <utility>

namespace cosmos {

StoreWriter::StoreWriter(RunStore* store) : store_(store), thread_([this] { Commit(); }) {}

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
  std::uint64_t number;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (failure_ != nullptr) std::rethrow_exception(failure_);
    waiting_.push_back(std::move(change));
    number = ++last_given_;
  }
  changed_.notify_one();
  return number;
}

void StoreWriter::WaitFor(std::uint64_t number) {
  std::unique_lock<std::mutex> lock(mutex_);
  committed_.wait(lock, [&] { return last_committed_ >= number || failure_ != nullptr; });
  if (failure_ != nullptr) std::rethrow_exception(failure_);
}

void StoreWriter::Commit() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::vector<Change> batch = std::move(waiting_);
    waiting_.clear();
    lock.unlock();
    std::exception_ptr failure;
    try {
      store_->InTransaction([&] {
        for (const Change& change : batch) change(*store_);
      });
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    last_committed_ += batch.size();
    if (failure != nullptr && failure_ == nullptr) failure_ = failure;
    committed_.notify_all();
  }
}

}  // namespace cosmos
