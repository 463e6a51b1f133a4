#include "core/cancel.h"

#include <gtest/gtest.h>

#include <thread>

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

}  // namespace
}  // namespace cosmos
