#include "job/local_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <regex>

#include "core/error.h"
#include "core/files.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kLimit = 100'000;

// A cut log taken apart.
struct Parts {
  std::string head;
  std::int64_t left_out = 0;
  std::string whole;  // where it is
  std::string tail;
};

class LocalLogTest : public ::testing::Test {
 protected:
  LocalLogTest() {
    char name[] = "/tmp/cosmos-log-XXXXXX";
    root_ = ::mkdtemp(name);
    path_ = root_ / "logs/run.log";
  }
  ~LocalLogTest() override { fs::remove_all(root_); }

  LocalLog Open(std::int64_t limit = kLimit) const { return {path_, limit, "/jobs/1/run.log on its target"}; }

  // `n` bytes of numbered lines, different from all others of the test.
  std::string Lines(std::size_t n) {
    std::string text;
    while (text.size() < n) text += "line " + std::to_string(next_++) + "\n";
    text.resize(n);
    return text;
  }

  Parts Take() const {
    const std::string text = ReadFile(path_);
    static const std::regex kNotice(
        "\n\\[cosmos-engine\\] ([0-9]+) bytes are left out here; the whole log is ([^\n]*)\n");
    std::smatch match;
    if (!std::regex_search(text, match, kNotice)) {
      ADD_FAILURE() << "there is no notice";
      return {};
    }
    EXPECT_EQ(match.suffix().str().find("[cosmos-engine]"), std::string::npos) << "there is a second notice";
    return {match.prefix(), std::stoll(match[1]), match[2], match.suffix()};
  }

  // The file stands for `all`: its beginning, its end, and nothing missing but what the notice says.
  void ExpectStandsFor(const LocalLog& log, const std::string& all) const {
    const Parts parts = Take();
    EXPECT_EQ(static_cast<std::int64_t>(fs::file_size(path_)), log.size());
    EXPECT_LE(log.size(), kLimit);
    EXPECT_TRUE(log.cut());
    EXPECT_EQ(parts.whole, "/jobs/1/run.log on its target");
    EXPECT_EQ(parts.head.size(), static_cast<std::size_t>(kLimit / 4));
    EXPECT_TRUE(all.compare(0, parts.head.size(), parts.head) == 0);
    ASSERT_LE(parts.tail.size(), all.size());
    EXPECT_TRUE(all.compare(all.size() - parts.tail.size(), parts.tail.size(), parts.tail) == 0);
    EXPECT_EQ(static_cast<std::int64_t>(parts.head.size() + parts.tail.size()) + parts.left_out,
              static_cast<std::int64_t>(all.size()));
    EXPECT_GT(parts.tail.size(), static_cast<std::size_t>(kLimit / 4));
  }

  fs::path root_;
  fs::path path_;
  int next_ = 0;
};

TEST_F(LocalLogTest, UpToItsLimitALogIsWhole) {
  LocalLog log = Open();
  std::string all;
  while (all.size() + 1000 <= static_cast<std::size_t>(kLimit)) {
    const std::string more = Lines(1000);
    log.Append(more);
    all += more;
  }
  EXPECT_EQ(log.size(), kLimit);
  EXPECT_FALSE(log.cut());
  EXPECT_EQ(ReadFile(path_), all);
}

TEST_F(LocalLogTest, BeyondItItsHeadAndItsTailStay) {
  LocalLog log = Open();
  const std::string all = Lines(kLimit + 1);
  log.Append(all.substr(0, kLimit));
  EXPECT_FALSE(log.cut());
  log.Append(all.substr(kLimit));
  ExpectStandsFor(log, all);
}

TEST_F(LocalLogTest, ATailBeginsWithALine) {
  LocalLog log = Open();
  log.Append(Lines(3 * kLimit));
  EXPECT_EQ(Take().tail.substr(0, 5), "line ");
  log.Clear();
  log.Append(std::string(3 * kLimit, 'x'));  // where there are lines
  EXPECT_EQ(Take().tail.substr(0, 5), "xxxxx");
}

TEST_F(LocalLogTest, ManySmallAppendsNeverExceedTheLimit) {
  LocalLog log = Open();
  std::string all;
  for (int i = 0; i < 20'000; ++i) {
    const std::string more = Lines(1 + static_cast<std::size_t>(i * 7919 % 97));
    log.Append(more);
    all += more;
    ASSERT_LE(log.size(), kLimit) << i;
    if (i % 1000 == 999 && log.cut()) ExpectStandsFor(log, all);
  }
  ExpectStandsFor(log, all);
}

TEST_F(LocalLogTest, HugeAppendsKeepTheHeadToo) {
  for (const std::size_t before : {0, 1000, 25'000, 25'001, 90'000}) {
    SCOPED_TRACE(before);
    fs::remove_all(root_ / "logs");
    LocalLog log = Open();
    std::string all = Lines(before);
    log.Append(all);
    for (const std::size_t size : {1'000'000, 99'999, 5'000'000}) {
      const std::string more = Lines(size);
      log.Append(more);
      all += more;
      ExpectStandsFor(log, all);
    }
  }
}

TEST_F(LocalLogTest, AfterACutSmallAppendsGoOnBehindTheTail) {
  LocalLog log = Open();
  std::string all = Lines(kLimit + 5000);
  log.Append(all);
  const std::int64_t left_out = Take().left_out;
  const std::string more = Lines(100);
  log.Append(more);
  EXPECT_EQ(Take().left_out, left_out);  // there is room, so nothing is cut again
  ExpectStandsFor(log, all + more);
}

TEST_F(LocalLogTest, LastBytesAreTakenAwayAgain) {
  LocalLog log = Open();
  const std::string text = Lines(1000);
  log.Append(text);
  log.Shorten(0);
  EXPECT_EQ(ReadFile(path_), text);
  log.Shorten(10);
  EXPECT_EQ(log.size(), 990);
  log.Append("more");
  EXPECT_EQ(ReadFile(path_), text.substr(0, 990) + "more");
  log.Shorten(5000);
  EXPECT_EQ(log.size(), 0);
  EXPECT_EQ(ReadFile(path_), "");
}

TEST_F(LocalLogTest, WhatWasTakenAwayIsNotCountedAsLeftOut) {
  LocalLog log = Open();
  std::string all = Lines(2 * kLimit);
  log.Append(all);
  log.Shorten(1000);
  all.resize(all.size() - 1000);
  for (int i = 0; i < 200; ++i) {
    const std::string more = Lines(1000);
    log.Append(more);
    all += more;
  }
  ExpectStandsFor(log, all);
}

TEST_F(LocalLogTest, AClearedLogBeginsAnew) {
  LocalLog log = Open();
  log.Append(Lines(2 * kLimit));
  log.Clear();
  EXPECT_EQ(log.size(), 0);
  EXPECT_FALSE(log.cut());
  EXPECT_EQ(fs::file_size(path_), 0u);
  const std::string few = Lines(500);
  log.Append(few);
  EXPECT_EQ(ReadFile(path_), few);
  const std::string rest = Lines(2 * kLimit);
  log.Append(rest);
  ExpectStandsFor(log, few + rest);
}

TEST_F(LocalLogTest, ALogThatIsThereIsGoneOnWith) {
  std::string all = Lines(40'000);
  { Open().Append(all); }
  LocalLog log = Open();
  EXPECT_EQ(log.size(), 40'000);
  EXPECT_FALSE(log.cut());
  const std::string more = Lines(1'000);
  log.Append(more);
  EXPECT_EQ(ReadFile(path_), all + more);
  const std::string rest = Lines(kLimit);
  log.Append(rest);
  ExpectStandsFor(log, all + more + rest);
}

TEST_F(LocalLogTest, ALongerOneThatIsThereIsCutAtTheNextBytes) {
  const std::string all = Lines(3 * kLimit);
  MakeFolders(path_.parent_path());
  WriteFile(path_, all);
  LocalLog log = Open();
  EXPECT_EQ(log.size(), 3 * kLimit);
  const std::string more = Lines(10);
  log.Append(more);
  ExpectStandsFor(log, all + more);
}

TEST_F(LocalLogTest, ItsEndCanBeReadBack) {
  LocalLog log = Open();
  EXPECT_EQ(log.Tail(10), "");
  const std::string all = Lines(2 * kLimit);
  log.Append(all.substr(0, 100));
  EXPECT_EQ(log.Tail(10), all.substr(90, 10));
  EXPECT_EQ(log.Tail(1000), all.substr(0, 100));
  EXPECT_EQ(log.Tail(0), "");
  log.Append(all.substr(100));
  EXPECT_EQ(log.Tail(1000), all.substr(all.size() - 1000));
}

TEST_F(LocalLogTest, ALimitIsAtLeast64KiB) {
  LocalLog log = Open(10);
  log.Append(std::string(64 << 10, 'x'));
  EXPECT_FALSE(log.cut());
  log.Append("x");
  EXPECT_TRUE(log.cut());
  EXPECT_LE(log.size(), 64 << 10);
}

TEST_F(LocalLogTest, ANoticeStaysShortWhateverThePlaceOfTheLogIs) {
  LocalLog log(path_, kLimit, std::string(100'000, 'p'));
  log.Append(Lines(2 * kLimit));
  EXPECT_LT(Take().whole.size(), 1000u);
  EXPECT_LE(log.size(), kLimit);
}

TEST_F(LocalLogTest, WhoReadsWhileItIsCutSeesItBeforeOrAfter) {
  LocalLog log = Open();
  const std::string all = Lines(kLimit);
  log.Append(all);
  const Fd before(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  log.Append(Lines(kLimit));
  std::string seen(kLimit, '\0');
  EXPECT_EQ(::pread(before.get(), seen.data(), seen.size(), 0), kLimit);
  EXPECT_TRUE(seen == all);
  EXPECT_FALSE(fs::exists(path_.string() + ".cut"));
}

TEST_F(LocalLogTest, NothingOfABinaryLogIsChanged) {
  LocalLog log = Open();
  std::string all;
  for (int i = 0; i < 200'000; ++i) all += static_cast<char>(i * 31 % 256);
  log.Append(all.substr(0, 50'000));
  EXPECT_TRUE(ReadFile(path_) == all.substr(0, 50'000));
  log.Append(all.substr(50'000));
  ExpectStandsFor(log, all);
}

TEST_F(LocalLogTest, AFullDiskIsTold) {
  LocalLog log("/dev/full", kLimit, "elsewhere");
  try {
    log.Append("bytes");
    ADD_FAILURE() << "they were written";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_THAT(error.message(), HasSubstr("/dev/full"));
  }
}

}  // namespace
}  // namespace cosmos
