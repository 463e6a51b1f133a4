#include "event/journal.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "core/files.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() {
    char name[] = "/tmp/cosmos-journal-XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ / "events.jsonl";
  }
  ~JournalTest() override { fs::remove_all(folder_); }

  void Write(int events) {
    Journal journal(path_);
    EventBus bus(&clock_, journal.last_seq());
    bus.Subscribe(journal.Subscribe());
    RunContext context;
    context.run_id = "rs_1";
    for (int i = 0; i < events; ++i) bus.Publish(context, StageFailed{{FailureKind::kKilled, "bad \xFF byte"}});
  }
  std::vector<std::uint64_t> Numbers() {
    std::vector<std::uint64_t> numbers;
    Journal::Read(path_, 0, [&](const std::string& line) { numbers.push_back(nlohmann::json::parse(line)["seq"]); });
    return numbers;
  }

  SystemClock clock_;
  fs::path folder_;
  fs::path path_;
};

TEST_F(JournalTest, GoesOnWhereAnEarlierEngineEnded) {
  Write(2);
  Write(1);
  EXPECT_EQ(Numbers(), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(JournalTest, ALineThatACrashCutOffIsRemoved) {
  Write(2);
  AppendToFile(path_, R"({"seq": 3, "ty)");
  EXPECT_EQ(Numbers().size(), 2u);
  Write(1);
  EXPECT_EQ(Numbers(), (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(JournalTest, ReadingGoesOnAtAnOffset) {
  Write(2);
  int lines = 0;
  const auto count = [&](const std::string&) { ++lines; };
  const std::int64_t offset = Journal::Read(path_, 0, count);
  EXPECT_EQ(lines, 2);
  EXPECT_EQ(Journal::Read(path_, offset, count), offset);
  AppendToFile(path_, "{\"half");
  EXPECT_EQ(Journal::Read(path_, offset, count), offset);
  AppendToFile(path_, "\":1}\n");
  Journal::Read(path_, offset, count);
  EXPECT_EQ(lines, 3);
}

}  // namespace
}  // namespace cosmos
