#include "core/shared_cache.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include "core/error.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class SharedCacheTest : public testing::Test {
 protected:
  SharedCacheTest() {
    std::string name = (fs::temp_directory_path() / "cosmos-cache-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) folder_ = name;
  }
  ~SharedCacheTest() override { fs::remove_all(folder_); }

  SharedCache::Entry Get(Duration longest_age, const std::string& answer) {
    return SharedCache(folder_ / "cache").Get("host", longest_age, seconds(60), [&] {
      ++asked_;
      if (answer.empty()) throw Error(ErrorCode::kConnectionLost, "no answer");
      return answer;
    });
  }

  fs::path folder_;
  std::atomic<int> asked_{0};
};

TEST_F(SharedCacheTest, AsksOnceWithinTheAge) {
  EXPECT_EQ(Get(hours(1), "one").text, "one");
  const SharedCache::Entry again = Get(hours(1), "two");
  EXPECT_EQ(again.text, "one");
  ASSERT_TRUE(again.age);
  EXPECT_GE(*again.age, Duration(0));
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(Get(Duration(-1), "three").text, "three");
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(SharedCache(folder_ / "cache").Peek("host").text, "three");
  EXPECT_FALSE(SharedCache(folder_ / "cache").Peek("other").age);
}

TEST_F(SharedCacheTest, OnlyTheUserCanReadIt) {
  Get(hours(1), "one");
  struct stat status {};
  ASSERT_EQ(::stat((folder_ / "cache").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(SharedCacheTest, AFailureLeavesTheOlderTextAndIsNotTriedAgainAtOnce) {
  Get(hours(1), "one");
  const SharedCache::Entry failed = Get(Duration(-1), "");
  EXPECT_EQ(failed.text, "one");
  EXPECT_EQ(failed.failure, "no answer");
  EXPECT_TRUE(failed.age);
  EXPECT_EQ(Get(hours(1), "two").failure, "no answer");
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(Get(Duration(-1), "three").failure, "");
}

TEST_F(SharedCacheTest, WhoComesWhileSomebodyAsksWaitsForThatAnswer) {
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      const SharedCache::Entry entry = SharedCache(folder_ / "cache").Get("host", hours(1), seconds(60), [&] {
        ++asked_;
        std::this_thread::sleep_for(milliseconds(50));
        return std::string("slow");
      });
      if (entry.text == "slow") ++right;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(right, 20);
}

TEST_F(SharedCacheTest, PatienceEndsWithWhatThereIs) {
  Get(hours(1), "old");
  std::atomic<bool> asking{false}, enough{false};
  std::thread slow([&] {
    SharedCache(folder_ / "cache").Get("host", Duration(-1), seconds(60), [&] {
      asking = true;
      while (!enough) std::this_thread::sleep_for(milliseconds(1));
      return std::string("new");
    });
  });
  while (!asking) std::this_thread::sleep_for(milliseconds(1));
  const SharedCache::Entry entry =
      SharedCache(folder_ / "cache").Get("host", Duration(-1), milliseconds(10), [] { return std::string("never"); });
  enough = true;
  slow.join();
  EXPECT_EQ(entry.text, "old");
  EXPECT_EQ(SharedCache(folder_ / "cache").Peek("host").text, "new");
}

TEST_F(SharedCacheTest, AProcessThatDiesWhileItAsksLocksNobodyOut) {
  const pid_t child = ::fork();
  if (child == 0) {
    SharedCache(folder_ / "cache").Get("host", hours(1), seconds(60), [] {
      ::_exit(0);
      return std::string();
    });
    ::_exit(1);
  }
  ASSERT_GT(child, 0);
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(Get(hours(1), "one").text, "one");
}

TEST_F(SharedCacheTest, GarbageAndAFolderThatCannotBeUsedMeanThatNothingIsShared) {
  Get(hours(1), "one");
  for (const auto& entry : fs::directory_iterator(folder_ / "cache")) std::ofstream(entry.path()) << "{garbage";
  EXPECT_EQ(Get(hours(1), "two").text, "two");

  std::ofstream(folder_ / "file") << "no folder";
  const SharedCache unusable(folder_ / "file" / "cache"), none("");
  for (const SharedCache* cache : {&unusable, &none}) {
    EXPECT_EQ(cache->Get("host", hours(1), seconds(60), [] { return std::string("asked"); }).text, "asked");
    EXPECT_EQ(cache->Get("host", hours(1), seconds(60), [] { return std::string("again"); }).text, "again");
    EXPECT_FALSE(cache->Peek("host").age);
  }
}

}  // namespace
}  // namespace cosmos
