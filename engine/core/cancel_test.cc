#include "core/cancel.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/deadline_token.h"

namespace cosmos {
namespace {

using namespace std::chrono_literals;

TEST(CancelToken, WakesAllWhoWait) {
  CancelToken token;
  std::thread one([&] { EXPECT_TRUE(token.WaitFor(1h)); });
  std::thread two([&] { EXPECT_TRUE(token.WaitFor(1h)); });
  token.Cancel();
  one.join();
  two.join();
  EXPECT_TRUE(token.WaitFor(0s));
}

TEST(CancelToken, WaitsNoLongerThanAsked) {
  CancelToken token;
  EXPECT_FALSE(token.WaitFor(1ms));
  EXPECT_FALSE(token.cancelled());
}

TEST(DeadlineToken, FollowsItsParentAndItsTime) {
  CancelToken parent;
  {
    const DeadlineToken none(parent, std::nullopt);
    EXPECT_EQ(&none.token(), &parent);
    const DeadlineToken late(parent, 1h);
    EXPECT_FALSE(late.token().cancelled());
    const DeadlineToken soon(parent, 1ms);
    EXPECT_TRUE(soon.token().WaitFor(1h));
    EXPECT_TRUE(soon.expired());
    EXPECT_FALSE(late.expired());
  }
  const DeadlineToken late(parent, 1h);
  parent.Abandon();
  EXPECT_TRUE(late.token().WaitFor(1h));
  EXPECT_TRUE(late.token().abandoned());
  EXPECT_FALSE(late.expired());
}

}  // namespace
}  // namespace cosmos
