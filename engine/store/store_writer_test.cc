#include "store/store_writer.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "core/error.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

class StoreWriterTest : public ::testing::Test {
 protected:
  StoreWriterTest() {
    char name[] = "/tmp/cosmos-writer-XXXXXX";
    folder_ = ::mkdtemp(name);
    store_ = RunStore::Open((folder_ / "runs.db").string());
  }
  ~StoreWriterTest() override {
    store_.reset();
    fs::remove_all(folder_);
  }
  static RunRecord Run(const std::string& run_id) {
    RunRecord run;
    run.run_id = run_id;
    run.workflow = "w";
    run.output_dir = "/home/me/outputs";
    run.status = "running";
    run.started_at = 1;
    return run;
  }

  fs::path folder_;
  std::unique_ptr<RunStore> store_;
};

TEST_F(StoreWriterTest, WriteAndWaitCommitsAllBeforeIt) {
  StoreWriter writer(store_.get());
  for (int i = 0; i < 100; ++i) {
    writer.Write([i](RunStore& store) { store.PutRun(Run("rs_" + std::to_string(i))); });
  }
  writer.WriteAndWait([](RunStore& store) { store.PutRun(Run("rs_last")); });
  EXPECT_TRUE(store_->HasRun("rs_0"));
  EXPECT_TRUE(store_->HasRun("rs_99"));
  EXPECT_TRUE(store_->HasRun("rs_last"));
}

TEST_F(StoreWriterTest, ChangesOfOneThreadAreMadeInItsOrder) {
  StoreWriter writer(store_.get());
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      const std::string run_id = "rs_" + std::to_string(t);
      writer.Write([=](RunStore& store) { store.PutRun(Run(run_id)); });
      for (int i = 0; i < 50; ++i) {
        writer.Write([=](RunStore& store) { store.SetRunLogPath(run_id, std::to_string(i)); });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  writer.Flush();
  for (int t = 0; t < 3; ++t) EXPECT_EQ(store_->GetRun("rs_" + std::to_string(t)).log_path, "49");
}

TEST_F(StoreWriterTest, TheDestructorCommitsWhatWaits) {
  {
    StoreWriter(store_.get()).Write([](RunStore& store) { store.PutRun(Run("rs_1")); });
  }
  EXPECT_TRUE(store_->HasRun("rs_1"));
}

TEST_F(StoreWriterTest, AFailureIsToldToAllWhoComeLater) {
  StoreWriter writer(store_.get());
  EXPECT_THROW(writer.WriteAndWait([](RunStore& store) { store.SetRunLogPath("rs_none", "x"); }), Error);
  EXPECT_THROW(writer.Write([](RunStore&) {}), Error);
  EXPECT_THROW(writer.Flush(), Error);
}

// Holds the thread that commits until it is let go, and fails it then.
class Gate {
 public:
  StoreWriter::Change Failing() {
    return [this](RunStore&) {
      std::unique_lock<std::mutex> lock(mutex_);
      entered_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return open_; });
      throw Error(ErrorCode::kUnavailable, "the disk is full");
    };
  }
  void AwaitEntered() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return entered_; });
  }
  void Open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool entered_ = false;
  bool open_ = false;
};

TEST_F(StoreWriterTest, WhatWaitsWhenACommitFailsIsNeverRun) {
  std::atomic<int> ran{0};
  {
    StoreWriter writer(store_.get());
    Gate gate;
    writer.Write(gate.Failing());
    gate.AwaitEntered();
    for (int i = 0; i < 3; ++i) {
      writer.Write([&ran](RunStore& store) {
        ++ran;
        store.PutRun(Run("rs_late"));
      });
    }
    gate.Open();
    EXPECT_THROW(writer.Flush(), Error);
  }
  EXPECT_EQ(ran, 0);
  EXPECT_FALSE(store_->HasRun("rs_late"));
}

TEST_F(StoreWriterTest, AWaitThatAnotherCommitFailsEndsWhenItsChangeIsGone) {
  StoreWriter writer(store_.get());
  Gate gate;
  const auto alive = std::make_shared<int>(0);
  writer.Write(gate.Failing());
  gate.AwaitEntered();
  std::atomic<bool> ran{false}, threw{false};
  std::thread waiter([&] {
    try {
      writer.WriteAndWait([&ran, alive](RunStore&) { ran = true; });
    } catch (const Error& error) {
      threw = error.message() == "the disk is full";
    }
  });
  while (alive.use_count() < 2) std::this_thread::yield();
  gate.Open();
  waiter.join();
  EXPECT_TRUE(threw);
  EXPECT_EQ(alive.use_count(), 1) << "the change outlived its caller";
  EXPECT_THROW(writer.Write([](RunStore&) {}), Error);
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace cosmos
