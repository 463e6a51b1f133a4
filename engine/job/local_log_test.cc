#include "job/local_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <regex>

#include "core/error.h"
#include "core/files.h"
#include "job/full_disk.h"

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
  LocalLog log(path_, kLimit, "elsewhere");
  const FullDisk full;
  try {
    log.Append("bytes");
    ADD_FAILURE() << "they were written";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_THAT(error.message(), HasSubstr(path_));
  }
}

class CutLinkTest : public ::testing::Test {
 protected:
  CutLinkTest() {
    char name[] = "/tmp/cosmos-cut-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~CutLinkTest() override { std::filesystem::remove_all(folder_); }
  // Two names of one file, as a local job and its stage have them.
  void Log(const std::string& text) {
    WriteFile(job_log(), text);
    std::filesystem::create_hard_link(job_log(), local());
  }
  std::filesystem::path job_log() const { return folder_ / "run.log"; }
  std::filesystem::path local() const { return folder_ / "local.log"; }
  void Cut(std::int64_t max_bytes) { LocalLog::CutLink(job_log(), local(), max_bytes, job_log()); }

  std::filesystem::path folder_;
};

TEST_F(CutLinkTest, AtTheLimitTheFileStaysTheJobsOwn) {
  Log(std::string(100 << 10, 'x'));
  Cut(100 << 10);
  EXPECT_TRUE(std::filesystem::equivalent(job_log(), local()));
}

TEST_F(CutLinkTest, BeyondItHeadNoticeAndTailStay) {
  std::string text;
  for (int i = 0; text.size() < (300 << 10); ++i) text += "line " + std::to_string(i) + "\n";
  text += "the end\n";
  Log(text);
  Cut(100 << 10);
  const std::string cut = ReadFile(local());
  EXPECT_LE(cut.size(), std::size_t{100} << 10);
  EXPECT_GT(cut.size(), std::size_t{90} << 10);
  EXPECT_EQ(cut.rfind("line 0\nline 1\n", 0), 0u);
  EXPECT_EQ(cut.substr(cut.size() - 8), "the end\n");
  const std::size_t notice = cut.find("\n[cosmos-engine] ");
  ASSERT_NE(notice, cut.npos);
  EXPECT_NE(cut.find("the whole log is " + job_log().string() + "\nline "), cut.npos);
  // What is said to be left out, is.
  const std::size_t behind = cut.find('\n', notice + 1) + 1;
  const std::size_t left_out = std::stoul(cut.substr(notice + 17));
  EXPECT_EQ(notice + left_out + (cut.size() - behind), text.size());
  EXPECT_EQ(cut.substr(behind), text.substr(text.size() - (cut.size() - behind)));
  EXPECT_EQ(ReadFile(job_log()), text);
  EXPECT_FALSE(std::filesystem::exists(local().string() + ".cut"));
}

TEST_F(CutLinkTest, OneEndlessLineIsCutToo) {
  Log(std::string(1 << 20, 'x'));
  Cut(1);  // taken for 64 KiB
  EXPECT_LE(std::filesystem::file_size(local()), std::uintmax_t{64} << 10);
  EXPECT_EQ(std::filesystem::file_size(job_log()), std::uintmax_t{1} << 20);
}

}  // namespace
}  // namespace cosmos
