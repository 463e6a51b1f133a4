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
// given. Thread-safe. Once a change or its commit has failed, nothing is written any more: the whole transaction is
// undone, changes that wait are dropped without being run, and every later call throws what the failure threw. A run
// must not continue without its record. Within C++14, as the store is.
class StoreWriter {
 public:
  using Change = std::function<void(RunStore&)>;

  // `store` must outlive the writer.
  explicit StoreWriter(RunStore* store);
  // Commits what waits, unless a change has failed.
  ~StoreWriter();
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  // Returns at once; the change is committed soon, and before any later one. It runs later, so it must own what it
  // uses.
  void Write(Change change);
  // Returns when this change, and all before it, are committed; throws when they never will be. The change neither runs
  // nor exists after that, so it may refer to what its caller owns.
  void WriteAndWait(Change change);
  // Returns when all changes so far are committed.
  void Flush();

 private:
  void CommitNowAndThen();
  std::uint64_t Enqueue(Change change);
  void WaitFor(std::uint64_t number);
  // Commits all that waits, or drops it; REQUIRES: `lock` holds mutex_ (given away meanwhile), and committing_ is
  // false.
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
