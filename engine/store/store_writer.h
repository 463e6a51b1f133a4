#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "store/run_store.h"

namespace cosmos {

// Writes to a store from a thread of its own, and puts whatever waits into one transaction: a run of ten thousand
// stages pays for few commits, and one that waits for its commit pays for one. Changes are made in the order they were
// given. Thread-safe. After a change has failed every later call throws what it threw: a run must not go on without its
// record. Within C++14, as the store is.
class StoreWriter {
 public:
  using Change = std::function<void(RunStore&)>;

  // `store` must outlive the writer.
  explicit StoreWriter(RunStore* store);
  // Commits what waits.
  ~StoreWriter();
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  // Returns at once; the change is committed soon, and before any later one.
  void Write(Change change);
  // Returns when this change, and all before it, are committed.
  void WriteAndWait(Change change);
  // Returns when all changes so far are committed.
  void Flush();

 private:
  void CommitNowAndThen();
  std::uint64_t Enqueue(Change change);
  void WaitFor(std::uint64_t number);
  // Commits all that waits; REQUIRES: `lock` holds mutex_ (given away meanwhile), and committing_ is false.
  void CommitWaiting(std::unique_lock<std::mutex>* lock);

  RunStore* const store_;
  std::mutex mutex_;                   // guards all that follows
  std::condition_variable changed_;    // for the thread: a first change waits
  std::condition_variable committed_;  // for everybody: a commit has ended
  std::vector<Change> waiting_;
  std::uint64_t last_given_ = 0;
  std::uint64_t last_committed_ = 0;
  std::exception_ptr failure_;
  bool idle_ = false;  // the thread waits for a first change
  bool committing_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cosmos
