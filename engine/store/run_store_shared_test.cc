#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "store/store_test_support.h"

// Several users of one database at once.
namespace cosmos {
namespace {

using testing::ElementsAre;

void PutStages(RunStore* store, const std::string& run_id, int count) {
  store->PutRun(SomeRun(run_id));
  for (int i = 0; i < count; ++i) {
    StageRecord stage = SomeStage(run_id, "stage-" + std::to_string(i));
    store->PutStage(&stage);
  }
}

TEST(RunStoreSharedTest, ThreadsShareOneStore) {
  const TemporaryFolder folder;
  const auto store = RunStore::Open(folder / "cosmos.db");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] { PutStages(store.get(), "rs_" + std::to_string(t), 50); });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 4; ++t) EXPECT_EQ(store->StagesOf("rs_" + std::to_string(t)).size(), 50u);
}

TEST(RunStoreSharedTest, ATransactionKeepsOtherThreadsOut) {
  const TemporaryFolder folder;
  const auto store = RunStore::Open(folder / "cosmos.db");
  store->PutRun(SomeRun("rs_1"));
  std::atomic<bool> started{false};
  std::string seen;
  std::thread reader([&] {
    while (!started) std::this_thread::yield();
    seen = store->GetRun("rs_1").status;
  });
  store->InTransaction([&] {
    store->SetRunError("rs_1", "killed", "gone");
    started = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    RunRecord run = SomeRun("rs_1");
    run.status = "succeeded";
    store->PutRun(run);
  });
  reader.join();
  EXPECT_EQ(seen, "succeeded");
}

TEST(RunStoreSharedTest, ProcessesThatCreateTheDatabaseAtOnceAllSucceed) {
  for (int round = 0; round < 10; ++round) {
    const TemporaryFolder folder;
    const std::string path = folder / "deep/er/cosmos.db";
    std::vector<pid_t> children;
    for (int child = 0; child < 4; ++child) {
      const pid_t pid = ::fork();
      ASSERT_GE(pid, 0);
      if (pid == 0) {
        try {
          const auto store = RunStore::Open(path);
          PutStages(store.get(), "rs_" + std::to_string(child), 20);
          ::_exit(0);
        } catch (const std::exception& error) {
          ::write(STDERR_FILENO, error.what(), std::strlen(error.what()));
          ::_exit(1);
        }
      }
      children.push_back(pid);
    }
    for (const pid_t child : children) {
      int status = -1;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_EQ(status, 0);
    }
    EXPECT_THAT(Sql(path, "SELECT count(*), count(DISTINCT run_id) FROM stage_executions"), ElementsAre("80|4"));
    EXPECT_THAT(Sql(path, "SELECT version, migration FROM schema_version"), ElementsAre("8|0"));
  }
}

TEST(RunStoreSharedTest, AStoreSeesWhatAnotherOneWrote) {
  const TemporaryFolder folder;
  const auto one = RunStore::Open(folder / "cosmos.db");
  const auto other = RunStore::Open(folder / "cosmos.db");
  one->PutRun(SomeRun("rs_1"));
  EXPECT_TRUE(other->HasRun("rs_1"));
  other->SetRunLogPath("rs_1", "a.log");
  EXPECT_EQ(one->GetRun("rs_1").log_path, "a.log");
}

}  // namespace
}  // namespace cosmos
