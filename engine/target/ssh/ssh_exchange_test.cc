#include "target/ssh/ssh_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "core/error.h"

namespace cosmos {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using End = SshExchange::End;

constexpr std::string_view kMark = "mark\n";
constexpr std::size_t kMost = SshExchange::kMostBuffered;

class SshExchangeTest : public ::testing::Test {
 protected:
  SshExchangeTest() { exchange_.SetWakeUp(wake_up_.get()); }

  static SteadyTime Soon() { return std::chrono::steady_clock::now() + 1ms; }
  static SteadyTime Never() { return std::chrono::steady_clock::now() + 1h; }
  // What is there already.
  std::string Read() { return exchange_.Read(Soon(), nullptr); }
  // Whether the connection's thread was woken since the last call.
  bool Woken() const {
    std::uint64_t count = 0;
    return ::read(wake_up_.get(), &count, sizeof count) > 0;
  }

  Fd wake_up_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  SshExchange exchange_{"command", kMark, SshExchange::Kind::kShort};
};

TEST_F(SshExchangeTest, OutputBeginsBehindTheMark) {
  exchange_.AddOutput("Welcome\nmark\none\nmark\n");
  exchange_.AddOutput("two");
  EXPECT_EQ(Read(), "one\nmark\ntwo");
  EXPECT_EQ(exchange_.Errors(), "");
  EXPECT_TRUE(exchange_.begun());
}

TEST_F(SshExchangeTest, ErrorsBeginBehindAMarkOfTheirOwn) {
  exchange_.AddOutput("mark\n");
  exchange_.AddErrors("hello");  // without a line end, as from a start file
  exchange_.AddErrors("mark\nsum 1\n");
  EXPECT_EQ(exchange_.Errors(), "sum 1\n");
}

TEST_F(SshExchangeTest, TheMarkMayComeInPieces) {
  const std::string all = "Welcome mark mamark\nsaid\n";
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    SshExchange exchange("command", kMark, SshExchange::Kind::kShort);
    exchange.SetWakeUp(wake_up_.get());
    for (std::size_t at = 0; at < all.size(); at += piece) exchange.AddOutput(all.substr(at, piece));
    EXPECT_EQ(exchange.Read(Soon(), nullptr), "said\n") << piece;
    EXPECT_EQ(exchange.Errors(), "") << piece;
  }
}

TEST_F(SshExchangeTest, ErrorsBetweenThePiecesOfTheMarkDoNotHideIt) {
  exchange_.AddOutput("ma");
  exchange_.AddErrors("mark\nwarning\n");
  exchange_.AddOutput("rk\nsaid\n");
  EXPECT_EQ(Read(), "said\n");
  EXPECT_EQ(exchange_.Errors(), "warning\n");
}

TEST_F(SshExchangeTest, ErrorsAreNotTakenForTheMark) {
  exchange_.AddErrors("mark\n");
  exchange_.AddOutput("noise");
  EXPECT_EQ(Read(), "");
  exchange_.AddErrors("ma");
  exchange_.AddOutput("rk\n");
  EXPECT_EQ(Read(), "");
  exchange_.AddOutput("mark\nsaid\n");
  EXPECT_EQ(Read(), "said\n");
  EXPECT_EQ(exchange_.Errors(), "ma");
}

TEST_F(SshExchangeTest, WithoutAMarkAllIsErrorsAndTheirAmountIsBounded) {
  for (int i = 0; i < 1000; ++i) exchange_.AddOutput(std::string(1000, 'x'));
  exchange_.AddOutput("sh: no such shell\n");
  exchange_.AddErrors("and an error\n");
  exchange_.SetEnd(End::kExited, 127);
  EXPECT_TRUE(exchange_.ended());
  EXPECT_EQ(Read(), "");
  EXPECT_THAT(exchange_.Errors(), HasSubstr("no such shell"));  // the last that was said tells what is wrong
  EXPECT_LE(exchange_.Errors().size(), 200'000u);
  EXPECT_EQ(exchange_.exit_status(), 127);
}

TEST_F(SshExchangeTest, TheMarkIsFoundBehindMuchNoise) {
  for (int i = 0; i < 1000; ++i) exchange_.AddOutput(std::string(1000, 'x'));
  exchange_.AddOutput("m");
  exchange_.AddOutput("ark\nsaid");
  EXPECT_EQ(Read(), "said");
}

TEST_F(SshExchangeTest, ErrorsKeepTheirFirst64KiB) {
  exchange_.AddErrors("mark\nfirst\n");
  for (int i = 0; i < 100; ++i) exchange_.AddErrors(std::string(1000, 'x'));
  EXPECT_EQ(exchange_.Errors().size(), 64u << 10);
  EXPECT_EQ(exchange_.Errors().substr(0, 6), "first\n");
}

TEST_F(SshExchangeTest, OutputHasRoomOnceItIsRead) {
  exchange_.AddOutput(kMark);
  EXPECT_EQ(exchange_.RoomForOutput(), kMost);
  exchange_.AddOutput(std::string(kMost - 10, 'a'));
  EXPECT_EQ(exchange_.RoomForOutput(), 10u);
  exchange_.AddOutput(std::string(10, 'b'));
  EXPECT_EQ(exchange_.RoomForOutput(), 0u);
  Woken();
  EXPECT_EQ(Read().size(), kMost);
  EXPECT_TRUE(Woken());  // it had stopped
  EXPECT_EQ(exchange_.RoomForOutput(), kMost);
}

TEST_F(SshExchangeTest, InputIsTakenInPieces) {
  EXPECT_TRUE(exchange_.Write("abcdef", Never(), nullptr));
  EXPECT_TRUE(Woken());
  bool close = true;
  EXPECT_EQ(exchange_.PeekInput(4, &close), "abcd");
  EXPECT_FALSE(close);
  EXPECT_EQ(exchange_.PeekInput(4, &close), "abcd");  // it stays until it is consumed
  exchange_.ConsumeInput(3);
  EXPECT_TRUE(exchange_.Write("gh", Never(), nullptr));
  EXPECT_EQ(exchange_.PeekInput(100, &close), "defgh");
  EXPECT_FALSE(close);
  Woken();
  exchange_.CloseInput();
  EXPECT_TRUE(Woken());
  EXPECT_EQ(exchange_.PeekInput(2, &close), "de");
  EXPECT_FALSE(close);  // not before what comes behind
  exchange_.ConsumeInput(5);
  EXPECT_EQ(exchange_.PeekInput(100, &close), "");
  EXPECT_TRUE(close);
}

TEST_F(SshExchangeTest, WriteWaitsForRoomAndGoesOn) {
  constexpr std::size_t kPiece = 1 << 18;
  constexpr std::size_t kAll = 4 * kMost;
  std::atomic<std::size_t> written = 0;
  std::thread writer([&] {
    for (std::size_t i = 0; i < kAll / kPiece; ++i) {
      written += kPiece;  // or about to be
      EXPECT_TRUE(exchange_.Write(std::string(kPiece, static_cast<char>('a' + i % 26)), Never(), nullptr));
    }
    exchange_.CloseInput();
  });
  std::string taken;
  std::size_t most = 0;
  for (bool close = false; !close;) {
    const std::string bytes = exchange_.PeekInput(100'000, &close);
    most = std::max(most, written - taken.size());
    taken += bytes;
    exchange_.ConsumeInput(bytes.size());
    if (bytes.empty()) std::this_thread::yield();
  }
  writer.join();
  std::string expected;
  for (std::size_t i = 0; i < kAll / kPiece; ++i) expected.append(kPiece, static_cast<char>('a' + i % 26));
  EXPECT_TRUE(taken == expected);
  EXPECT_LE(most, kMost);
}

TEST_F(SshExchangeTest, AWriteThatWaitsEndsWithTheCommandOrTheToken) {
  const std::string much(kMost, 'x');
  EXPECT_TRUE(exchange_.Write(much, Never(), nullptr));
  CancelToken stop;
  std::thread stopper([&] { stop.Cancel(); });
  EXPECT_FALSE(exchange_.Write("more", Never(), &stop));
  stopper.join();
  EXPECT_FALSE(exchange_.Write("more", Soon(), nullptr));  // the host takes nothing
  std::thread ender([&] { exchange_.SetEnd(End::kLost); });
  EXPECT_FALSE(exchange_.Write("more", Never(), nullptr));
  ender.join();
}

TEST_F(SshExchangeTest, ReadWaitsForOutputErrorsTheEndTheTimeOrTheToken) {
  EXPECT_EQ(exchange_.Read(Soon(), nullptr), "");
  EXPECT_FALSE(exchange_.ended());
  CancelToken stop;
  std::thread stopper([&] { stop.Cancel(); });
  EXPECT_EQ(exchange_.Read(Never(), &stop), "");
  stopper.join();
  std::thread output([&] { exchange_.AddOutput("mark\nsaid"); });
  EXPECT_EQ(exchange_.Read(Never(), nullptr), "said");
  output.join();
  std::thread errors([&] { exchange_.AddErrors("mark\na word"); });
  EXPECT_EQ(exchange_.Read(Never(), nullptr), "");  // a follower must hear of them
  errors.join();
  EXPECT_EQ(exchange_.Errors(), "a word");
  std::thread end([&] { exchange_.SetEnd(End::kExited, 0); });
  EXPECT_EQ(exchange_.Read(Never(), nullptr), "");
  end.join();
}

TEST_F(SshExchangeTest, ItHasEndedOnlyWhenAllWasRead) {
  exchange_.AddOutput("mark\nsaid");
  exchange_.SetEnd(End::kExited, 3);
  EXPECT_EQ(exchange_.end(), End::kExited);
  EXPECT_FALSE(exchange_.ended());
  EXPECT_EQ(exchange_.Read(Never(), nullptr), "said");
  EXPECT_TRUE(exchange_.ended());
  EXPECT_EQ(exchange_.exit_status(), 3);
  EXPECT_FALSE(exchange_.Write("too late", Never(), nullptr));
}

TEST_F(SshExchangeTest, AStoppedOneTakesAllAndKeepsNothing) {
  exchange_.AddOutput(kMark);
  exchange_.AddOutput(std::string(kMost, 'x'));
  EXPECT_TRUE(exchange_.Write("input", Never(), nullptr));
  Woken();
  exchange_.Stop();
  EXPECT_TRUE(Woken());
  EXPECT_TRUE(exchange_.stopped());
  EXPECT_EQ(exchange_.RoomForOutput(), kMost);  // so that the command is not held up
  exchange_.AddOutput("more");
  EXPECT_EQ(Read(), "");
  EXPECT_EQ(exchange_.RoomForOutput(), kMost);
  bool close = false;
  EXPECT_EQ(exchange_.PeekInput(100, &close), "");
  EXPECT_TRUE(close);
  EXPECT_FALSE(exchange_.Write("more", Never(), nullptr));
  EXPECT_FALSE(exchange_.ended());
  exchange_.SetEnd(End::kLost);
  EXPECT_TRUE(exchange_.ended());
}

TEST_F(SshExchangeTest, AFailureIsKept) {
  EXPECT_FALSE(exchange_.opened());
  exchange_.SetOpened();
  EXPECT_TRUE(exchange_.opened());
  exchange_.SetEnd(End::kRefused, -1, std::make_exception_ptr(Error(ErrorCode::kInvalidInput, "no such host key")));
  EXPECT_EQ(exchange_.end(), End::kRefused);
  EXPECT_THROW(std::rethrow_exception(exchange_.failure()), Error);
}

TEST_F(SshExchangeTest, ASlowReaderGetsAllOfAFastCommand) {
  constexpr std::size_t kAll = 3 * kMost;
  std::thread connection([&] {
    exchange_.AddOutput(kMark);
    for (std::size_t sent = 0; sent < kAll;) {
      const std::size_t n = std::min({exchange_.RoomForOutput(), kAll - sent, std::size_t{1} << 20});
      exchange_.AddOutput(std::string(n, static_cast<char>('a' + sent % 26)));
      sent += n;
      if (n == 0) {
        pollfd wait = {wake_up_.get(), POLLIN, 0};
        EXPECT_EQ(::poll(&wait, 1, 60'000), 1);  // it is woken when there is room
        Woken();
      }
    }
    exchange_.SetEnd(End::kExited, 0);
  });
  std::size_t got = 0;
  while (!exchange_.ended()) {
    const std::string bytes = exchange_.Read(Never(), nullptr);
    EXPECT_LE(bytes.size(), kMost);
    got += bytes.size();
    std::this_thread::sleep_for(1ms);
  }
  connection.join();
  EXPECT_EQ(got, kAll);
}

}  // namespace
}  // namespace cosmos
