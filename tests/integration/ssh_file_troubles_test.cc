// Transfers that meet with something: files that change meanwhile, what is in the way, a cancellation.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "ssh_files_fixture.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(SshFilesTest, AFileThatChangesOnItsWayArrivesAsItIsInTheEnd) {
  const std::string before = Bytes(6'000'000, 1), after = Bytes(6'000'000, 2);
  WriteFile(here() / "a", before);
  proxy_->SetThrottle(8'000'000);
  bool changed = false;
  target_->Upload({{here() / "a", there() + "/a"}}, "me", cancel_, [&](std::int64_t done, std::int64_t) {
    if (changed || done < 3'000'000) return;
    changed = true;
    const int file = ::open((here() / "a").c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::pwrite(file, after.data(), after.size(), 0), 6'000'000);
    ::close(file);
  });
  // Of the two a piece each, as a copy on this machine would have it; but what was sent is what is there.
  const std::string there_now = ReadFile(there() + "/a");
  ASSERT_EQ(there_now.size(), after.size());
  EXPECT_TRUE(there_now.compare(0, 1'000'000, before, 0, 1'000'000) == 0);
  EXPECT_TRUE(there_now.compare(5'500'000, 500'000, after, 5'500'000, 500'000) == 0);
  Upload({{here() / "a", there() + "/a"}});
  EXPECT_TRUE(ReadFile(there() + "/a") == after);
}

TEST_F(SshFilesTest, AFileThatBecomesShorterOnItsWayIsRefused) {
  WriteFile(here() / "a", Bytes(6'000'000, 1));
  proxy_->SetThrottle(8'000'000);
  try {
    target_->Upload({{here() / "a", there() + "/a"}}, "me", cancel_, [&](std::int64_t done, std::int64_t) {
      if (done >= 3'000'000) fs::resize_file(here() / "a", 1'000'000);
    });
    ADD_FAILURE() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(error.message(), HasSubstr((here() / "a").string()));
  }
  EXPECT_FALSE(fs::exists(there() + "/a"));
  Upload({{here() / "a", there() + "/a"}});
  EXPECT_TRUE(ReadFile(there() + "/a") == Bytes(6'000'000, 1).substr(0, 1'000'000));
  EXPECT_THAT(Names(there()), ElementsAre("a"));
}

TEST_F(SshFilesTest, AFileThatChangesThereWhileItIsFetchedArrivesWhole) {
  const std::string before = Bytes(6'000'000, 1), after = Bytes(5'000'000, 2);
  WriteThere("a", before);
  proxy_->SetThrottle(8'000'000);
  bool changed = false;
  const std::vector<Downloaded> found =
      target_->Download({{here() / "a", there() + "/a"}}, cancel_, [&](std::int64_t done, std::int64_t) {
        if (changed || done < 2'000'000) return;
        changed = true;
        WriteThere("next", after);
        fs::rename(there() + "/next", there() + "/a");
      });
  EXPECT_THAT(found, ElementsAre(Downloaded::kDone));
  // The one that was opened, or the one that is there now: never something between.
  const std::string fetched = ReadFile(here() / "a");
  EXPECT_TRUE(fetched == before || fetched == after) << fetched.size();
  EXPECT_THAT(Names(here()), ElementsAre("a"));
}

TEST_F(SshFilesTest, AFolderInTheWayIsNotFilled) {
  WriteFile(here() / "a", "content");
  WriteThere("a/b", "");
  EXPECT_THROW(Upload({{here() / "a", there() + "/a"}}), Error);
  EXPECT_THAT(Names(there() + "/a"), ElementsAre("b"));
}

TEST_F(SshFilesTest, WhatTheHostCannotTakeIsSaid) {
  WriteFile(here() / "a", Bytes(20'000'000, 1));
  try {
    Upload({{here() / "a", "/proc/no/way"}});
    ADD_FAILURE() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(error.message(), HasSubstr("/proc/no"));
  }
  WriteThere("file", "");
  EXPECT_THROW(Upload({{here() / "a", there() + "/file/a"}}), Error);
}

TEST_F(SshFilesTest, ALocalFileThatIsNotThereIsSaid) {
  try {
    Upload({{here() / "none", there() + "/a"}});
    ADD_FAILURE() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_THAT(error.message(), HasSubstr("none"));
  }
  WriteThere("a", "a");
  WriteFile(here() / "file", "");
  EXPECT_THROW(Download({{here() / "file/a", there() + "/a"}}), Error);
}

TEST_F(SshFilesTest, ACancelledTransferEndsAndIsGoneOnWith) {
  const std::string bytes = Bytes(8'000'000, 1);
  WriteFile(here() / "a", bytes);
  proxy_->SetThrottle(8'000'000);
  CancelToken cancel;
  target_->Upload({{here() / "a", there() + "/a"}}, "me", cancel, [&](std::int64_t done, std::int64_t) {
    if (done > 6'500'000) cancel.Cancel();
  });
  EXPECT_TRUE(cancel.cancelled());
  EXPECT_FALSE(fs::exists(there() + "/a"));
  proxy_->SetThrottle(0);
  Upload({{here() / "a", there() + "/a"}});
  EXPECT_TRUE(ReadFile(there() + "/a") == bytes);
  EXPECT_THAT(Names(there()), ElementsAre("a"));
  CancelToken again;
  proxy_->SetThrottle(8'000'000);
  EXPECT_THAT(target_->Download({{here() / "b", there() + "/a"}}, again,
                                [&](std::int64_t done, std::int64_t) {
                                  if (done > 5'000'000) again.Cancel();
                                }),
              ElementsAre(Downloaded::kMissing));
  EXPECT_FALSE(fs::exists(here() / "b"));
  proxy_->SetThrottle(0);
  EXPECT_LT(BytesOf([&] {
              EXPECT_THAT(Download({{here() / "b", there() + "/a"}}), ElementsAre(Downloaded::kDone));
            }),
            5'000'000u);
  EXPECT_TRUE(ReadFile(here() / "b") == bytes);
}

TEST_F(SshFilesTest, TwoOwnersDoNotDisturbEachOther) {
  const std::string bytes = Bytes(2'000'000, 1);
  WriteFile(here() / "a", bytes);
  SshTarget other(Options(account_->name()), there(), &cancel_, {});
  std::jthread thread([&] { other.Upload({{here() / "a", there() + "/a"}}, "other", cancel_, {}); });
  Upload({{here() / "a", there() + "/a"}});
  thread.join();
  EXPECT_TRUE(ReadFile(there() + "/a") == bytes);
  EXPECT_THAT(Names(there()), ElementsAre("a"));
}

}  // namespace
}  // namespace cosmos::testing
