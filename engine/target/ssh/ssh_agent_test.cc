#include "target/ssh/ssh_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cosmos {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(AgentKeys, AreReadAsTheyWereWritten) {
  const auto keys = ReadAgentKeys(WriteAgentKeys({{"blob", "comment"}, {std::string("\0\xff", 2), ""}}));
  ASSERT_THAT(keys, SizeIs(2));
  EXPECT_EQ(keys[0].blob, "blob");
  EXPECT_EQ(keys[0].comment, "comment");
  EXPECT_EQ(keys[1].blob, std::string("\0\xff", 2));
}

TEST(AgentKeys, OfAnAnswerThatIsNoneAreNone) {
  EXPECT_THAT(ReadAgentKeys(""), IsEmpty());
  EXPECT_THAT(ReadAgentKeys("\x05"), IsEmpty());
  EXPECT_THAT(ReadAgentKeys("\x0c"), IsEmpty());
  const std::string whole = WriteAgentKeys({{"blob", "comment"}});
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_THAT(ReadAgentKeys(whole.substr(0, size)), IsEmpty());
  EXPECT_THAT(ReadAgentKeys("\x0c\xff\xff\xff\xff\xff\xff\xff\xff"), IsEmpty());
}

TEST(SshAgent, ThatIsNotThereHasNoKeys) {
  EXPECT_THAT(SshAgent("/no/such/socket", {}, false).keys(), IsEmpty());
  EXPECT_THAT(SshAgent(std::string(200, 'x'), {}, false).keys(), IsEmpty());
}

}  // namespace
}  // namespace cosmos
