#include "run/lost_connections.h"

#include <gtest/gtest.h>

#include <fstream>

#include "store/store_test_support.h"

namespace cosmos {
namespace {

class LostConnectionsTest : public testing::Test {
 protected:
  void Append(const std::string& text) const { std::ofstream(journal_, std::ios::app) << text; }
  static std::string Event(const std::string& type, const std::string& target) {
    return R"({"v":1,"type":")" + type + R"(","time":"2026-11-25T04:15:58.326Z","data":{"target":")" + target +
           R"(","reason":"reset by peer"}})" + "\n";
  }

  TemporaryFolder folder_;
  std::string journal_ = folder_ / "events.jsonl";
};

TEST_F(LostConnectionsTest, AreThoseThatWereNotMadeAgain) {
  Append("no JSON \"target_lost\"\n" + Event("target_connected", "a") + Event("target_connected", "b"));
  EXPECT_TRUE(LostConnectionsIn(journal_).empty());
  Append(Event("target_lost", "a") + Event("target_lost", "b") + Event("target_reconnected", "a"));
  const nlohmann::json lost = LostConnectionsIn(journal_);
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0]["target"], "b");
  EXPECT_EQ(lost[0]["since"], "2026-11-25T04:15:58.326Z");
  EXPECT_EQ(lost[0]["reason"], "reset by peer");
  Append(std::string(2 << 20, ' ') + "\n" + Event("target_lost", "a"));
  EXPECT_EQ(LostConnectionsIn(journal_).size(), 1u);  // of a long journal only the end is read
}

TEST_F(LostConnectionsTest, EditedLinesAreReadAsFarAsTheyGo) {
  Append(R"({"type":"target_lost","time":7,"data":{"target":"a","reason":[]}})"
         "\n");
  Append(R"({"type":["target_lost"],"data":{"target":"b"}})"
         "\n"
         R"({"type":"target_lost","data":7})"
         "\n");
  Append(R"({"type":"target_lost","data":)" + std::string(60'000, '[') + "\n");
  const nlohmann::json lost = LostConnectionsIn(journal_);
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0], (nlohmann::json{{"target", "a"}, {"since", ""}, {"reason", ""}}));
}

TEST_F(LostConnectionsTest, AreNoneWithoutAJournal) { EXPECT_TRUE(LostConnectionsIn(journal_).empty()); }

}  // namespace
}  // namespace cosmos
