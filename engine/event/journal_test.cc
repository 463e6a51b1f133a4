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
    Journal::Read(path_, 0, [&](const nlohmann::json& event) { numbers.push_back(event["seq"]); });
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

TEST_F(JournalTest, LinesThatSomebodyEditedAreReadOrLeftOut) {
  Write(1);
  AppendToFile(path_, R"({"seq": 2, "type": "stage_failed", "data": )" + std::string(60'000, '[') + "\n");
  AppendToFile(path_, R"({"seq": 2, "type": "stage_failed", "data": )" + std::string(60'000, '[') +
                          std::string(60'000, ']') + "}\n");
  AppendToFile(path_, R"({"seq": -2, "type": "x"})"
                      "\n"
                      R"({"seq": 2, "type": 7})"
                      "\n"
                      R"({"seq": 2, "type": "x", "data": 7})"
                      "\n");
  Write(1);
  EXPECT_EQ(Numbers(), (std::vector<std::uint64_t>{1, 2}));
}

// Nothing like it is ever written; it is not taken into memory.
TEST_F(JournalTest, AnEndlessLineIsLeftOut) {
  Write(1);
  for (int i = 0; i < 70; ++i) AppendToFile(path_, std::string(1 << 20, 'x'));
  AppendToFile(path_, "\n");
  Write(1);
  EXPECT_EQ(Numbers(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(JournalTest, ReadingGoesOnAtAnOffset) {
  Write(2);
  int events = 0;
  const auto count = [&](const nlohmann::json&) { ++events; };
  const std::int64_t offset = Journal::Read(path_, 0, count);
  EXPECT_EQ(events, 2);
  EXPECT_EQ(Journal::Read(path_, offset, count), offset);
  AppendToFile(path_, R"({"seq": 3, "ty)");
  EXPECT_EQ(Journal::Read(path_, offset, count), offset);
  AppendToFile(path_, "pe\": \"stage_ready\"}\n");
  Journal::Read(path_, offset, count);
  EXPECT_EQ(events, 3);
}

// Whole lines that no engine wrote: a power failure, a broken disk, an editor.
class DamagedJournalTest : public JournalTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(DamagedJournalTest, NumbersContinueBehindALineThatIsNoEvent) {
  Write(3);
  AppendToFile(path_, GetParam() + "\n");
  Write(2);
  EXPECT_EQ(Numbers(), (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
}

TEST_P(DamagedJournalTest, ADamagedLineInTheMiddleHidesNothingElse) {
  Write(1);
  AppendToFile(path_, GetParam() + "\n");
  Write(2);
  Write(1);
  EXPECT_EQ(Numbers(), (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

INSTANTIATE_TEST_SUITE_P(All, DamagedJournalTest,
                         ::testing::Values("", "not JSON", "{", "[]", "7", "null", "{}", R"({"type": "stage_ready"})",
                                           R"({"seq": "9", "type": "stage_ready"})", R"({"seq": -1, "type": "x"})",
                                           R"({"seq": 0, "type": "x"})", R"({"seq": 9, "type": 5})",
                                           R"({"seq": 9, "type": "x", "data": []})",
                                           R"({"seq": 9, "type": "x", "stage": 1})",
                                           R"({"seq": 9, "type": "x", "stage": "a", "attempt": "1"})",
                                           std::string(4096, '\0'), "\xFF\xFE\x80"));

TEST_F(JournalTest, AnEventBehindZerosOfAPowerFailureIsRead) {
  Write(1);
  AppendToFile(path_, std::string(512, '\0') + R"({"seq": 2, "type": "stage_ready"})" + "\n");
  EXPECT_EQ(Numbers(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(JournalTest, ZerosAtTheEndAreRemoved) {
  Write(2);
  AppendToFile(path_, std::string(512, '\0'));
  Write(1);
  EXPECT_EQ(Numbers(), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(ReadFile(path_).find('\0'), std::string::npos);
}

}  // namespace
}  // namespace cosmos
