#include "run/metrics/metrics_file.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/files.h"
#include "run/metrics/metrics_fixture.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Lines final : public Logger {
 public:
  void Log(LogLevel level, const RunContext& context, std::string_view text) noexcept override {
    EXPECT_EQ(level, LogLevel::kWarning);
    EXPECT_EQ(context.run_id, "rs_1");
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(text);
  }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

class MetricsFileTest : public ::testing::Test {
 protected:
  MetricsFileTest() {
    char name[] = "/tmp/cosmos-metrics-XXXXXX";
    folder_ = ::mkdtemp(name);
    fs::create_directories(folder_ / "textfile");
    path_ = folder_ / "textfile/cosmos.prom";
    store_ = RunStore::Open(folder_ / "runs.db");
    context_.run_id = "rs_1";
    bus_.emplace(&clock_, 0);
  }
  ~MetricsFileTest() override {
    bus_.reset();
    file_.reset();
    store_.reset();
    fs::remove_all(folder_);
  }

  void Start(Duration interval) {
    file_ = std::make_unique<MetricsFile>(MetricsFile::Order{path_, store_.get(), &lines_, context_, interval}, "city",
                                          std::set<std::string>{"a"}, std::set<std::string>());
    bus_->Subscribe(file_->Subscribe());
  }
  void End() {
    bus_->Close();
    file_.reset();
  }
  static void Await(const std::function<bool()>& holds) {
    while (!holds()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  double Active() const { return Exposition(ReadFile(path_))["cosmos_run_active{run_id=\"rs_1\",workflow=\"city\"}"]; }

  fs::path folder_;
  fs::path path_;
  SystemClock clock_;
  Lines lines_;
  RunContext context_;
  std::unique_ptr<RunStore> store_;
  std::unique_ptr<MetricsFile> file_;
  std::optional<EventBus> bus_;
};

TEST_F(MetricsFileTest, IsWrittenWithTheFirstEventAndOnceMoreAtTheEnd) {
  Start(std::chrono::hours(1));
  bus_->Publish(context_, RunStarted{"city", 1, 0});
  Await([&] { return fs::exists(path_); });
  EXPECT_EQ(Active(), 1);
  bus_->Publish(context_, RunFinished{});
  End();
  EXPECT_EQ(Active(), 0);
  EXPECT_TRUE(Exposition(ReadFile(path_)).Has("cosmos_runs_started_total"));
  EXPECT_EQ(std::distance(fs::directory_iterator(path_.parent_path()), fs::directory_iterator()), 1);
  EXPECT_THAT(lines_.lines(), IsEmpty());
}

TEST_F(MetricsFileTest, IsWrittenAgainAndAgain) {
  Start(std::chrono::milliseconds(1));
  bus_->Publish(context_, RunStarted{"city", 1, 0});
  for (int i = 0; i < 3; ++i) {
    Await([&] { return fs::exists(path_); });
    fs::remove(path_);
  }
  End();
}

TEST_F(MetricsFileTest, ARunThatNeverBeganWritesNone) {
  Start(std::chrono::milliseconds(1));
  End();
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(MetricsFileTest, AFileThatCannotBeWrittenIsOneWarning) {
  fs::remove(path_.parent_path());
  Start(std::chrono::milliseconds(1));
  bus_->Publish(context_, RunStarted{"city", 1, 0});
  Await([&] { return !lines_.lines().empty(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_THAT(lines_.lines(), ElementsAre(HasSubstr("the metrics file could not be written: cannot write")));
  fs::create_directories(path_.parent_path());
  Await([&] { return fs::exists(path_); });
  EXPECT_EQ(Active(), 1);
  End();
}

}  // namespace
}  // namespace cosmos
