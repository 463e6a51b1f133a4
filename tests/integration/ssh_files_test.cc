// Files between this machine and a real host: whole, and no byte twice. See also ssh_file_troubles_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <fstream>

#include "ssh_files_fixture.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> kOddNames = {"a b",
                                            "it's",
                                            "\"two\"",
                                            "$(touch PWNED)",
                                            "`touch PWNED`",
                                            ";touch PWNED;",
                                            "-n",
                                            "-rf",
                                            "--",
                                            "*",
                                            "a\nb",
                                            "a\n",
                                            "\n",
                                            "\\n\\",
                                            "~",
                                            "#no",
                                            "😀",
                                            "%s",
                                            "a|b",
                                            "a.part"};

TEST_F(SshFilesTest, FilesOfAnyNameAndSizeGoThereAndBack) {
  std::vector<FileTransfer> up, down;
  std::vector<std::string> contents;
  unsigned seed = 0;
  for (const std::string& name : kOddNames) {
    contents.push_back(Bytes(seed % 3 == 0 ? 0 : 1000 * seed, seed));
    ++seed;
    WriteFile(here() / name, contents.back());
    up.push_back({here() / name, there() + "/in/" + name + "/" + name});
    down.push_back({folder_ / "back" / name / name, there() + "/in/" + name + "/" + name});
  }
  Upload(up);
  EXPECT_THAT(Download(down), Each(Downloaded::kDone));
  for (std::size_t i = 0; i < kOddNames.size(); ++i) {
    EXPECT_TRUE(ReadFile(up[i].remote) == contents[i]) << kOddNames[i];
    EXPECT_TRUE(ReadFile(down[i].local) == contents[i]) << kOddNames[i];
  }
  EXPECT_EQ(Names(there()).size(), kOddNames.size());  // and nothing else: no parts, nothing executed
  EXPECT_EQ(Names(folder_ / "back").size(), kOddNames.size());
  EXPECT_FALSE(fs::exists(account_->home() / "PWNED"));
}

TEST_F(SshFilesTest, AFolderIsListedByOneQuestion) {
  for (int i = 0; i < 500; ++i) WriteThere("out/sub/" + std::to_string(i) + ".exr", "x");
  WriteThere("out/a\nb", "x");
  std::size_t files = 0;
  const std::uint64_t bytes = BytesOf([&] { files = target_->List(there() + "/out", "", true).entries.size(); });
  EXPECT_EQ(files, 501u);
  EXPECT_LT(bytes, 30'000u) << "a name takes about 20 bytes";
  EXPECT_EQ(target_->List(there() + "/none", "", true).state, FolderListing::State::kMissing);
  fs::permissions(there() + "/out/sub", fs::perms::none);
  EXPECT_EQ(target_->List(there() + "/out", "", true).state, FolderListing::State::kUnreadable);
  EXPECT_EQ(target_->List(there() + "/out/sub", "", true).state, FolderListing::State::kUnreadable);
  EXPECT_EQ(target_->List(there() + "/out", "", false).entries.size(), 1u);
  fs::permissions(there() + "/out/sub", fs::perms::owner_all);
}

TEST_F(SshFilesTest, AnEmptyListIsNothing) {
  Upload({});
  EXPECT_THAT(Download({}), IsEmpty());
}

TEST_F(SshFilesTest, AnEmptyFileArrives) {
  WriteFile(here() / "a", "");
  std::int64_t last = -1;
  target_->Upload({{here() / "a", there() + "/a"}}, "me", cancel_, [&](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(total, 0);
    last = done;
  });
  EXPECT_EQ(last, 0);
  EXPECT_EQ(fs::file_size(there() + "/a"), 0u);
  EXPECT_THAT(Download({{here() / "b", there() + "/a"}}), ElementsAre(Downloaded::kDone));
  EXPECT_EQ(fs::file_size(here() / "b"), 0u);
}

TEST_F(SshFilesTest, HundredsOfSmallFilesArrive) {
  std::vector<FileTransfer> up, down;
  for (unsigned i = 0; i < 300; ++i) {
    const std::string name = "file " + std::to_string(i) + std::string(100, 'x');
    WriteFile(here() / name, Bytes(100 + i, i));
    up.push_back({here() / name, there() + "/deep/er/" + name});
    down.push_back({folder_ / "back" / name, there() + "/deep/er/" + name});
  }
  std::int64_t before = 0, all = 0;
  target_->Upload(up, "me", cancel_, [&](std::int64_t done, std::int64_t total) {
    EXPECT_LE(done, total);
    before = done;
    all = total;
  });
  EXPECT_EQ(before, all);
  EXPECT_EQ(all, 300 * 100 + 299 * 300 / 2);
  EXPECT_THAT(Download(down), Each(Downloaded::kDone));
  for (unsigned i = 0; i < 300; ++i) EXPECT_TRUE(ReadFile(down[i].local) == Bytes(100 + i, i)) << i;
  EXPECT_EQ(Names(there()).size(), 300u);
  EXPECT_EQ(server_->LoginCount(), 1);
}

TEST_F(SshFilesTest, WhatIsThereIsNotSentAgain) {
  WriteFile(here() / "a", Bytes(3'000'000, 1));
  WriteFile(here() / "b", Bytes(2'000'000, 2));
  const std::vector<FileTransfer> files = {{here() / "a", there() + "/a"}, {here() / "b", there() + "/b"}};
  EXPECT_GT(BytesOf([&] { Upload(files); }), 5'000'000u);
  std::int64_t last = 0;
  EXPECT_LT(BytesOf([&] {
              target_->Upload(files, "another", cancel_, [&](std::int64_t done, std::int64_t) { last = done; });
            }),
            100'000u);
  EXPECT_EQ(last, 5'000'000);
  EXPECT_LT(BytesOf([&] { EXPECT_THAT(Download(files), Each(Downloaded::kDone)); }), 100'000u);
  // One of the same size, but another one.
  std::fstream(here() / "b").put('x');
  EXPECT_LT(BytesOf([&] { Upload(files); }), 2'500'000u);
  EXPECT_TRUE(ReadFile(there() + "/b") == ReadFile(here() / "b"));
  std::fstream(here() / "b").put('y');
  EXPECT_LT(BytesOf([&] { EXPECT_THAT(Download(files), Each(Downloaded::kDone)); }), 2'500'000u);
  EXPECT_TRUE(ReadFile(here() / "b") == ReadFile(there() + "/b"));
}

// There is room for one of it, not for two.
TEST_F(SshFilesTest, WhatIsHereNeedsNoRoom) {
  const std::string bytes = Bytes(700'000, 1);
  WriteFile(here() / "a", bytes);
  Upload({{here() / "a", there() + "/a"}});
  const fs::path small = folder_ / "small";
  MakeFolders(small);
  ASSERT_EQ(::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=1m"), 0);
  const std::vector<FileTransfer> down = {{small / "a", there() + "/a"}};
  EXPECT_THAT(Download(down), ElementsAre(Downloaded::kDone));
  EXPECT_NO_THROW(EXPECT_THAT(Download(down), ElementsAre(Downloaded::kDone)));
  EXPECT_TRUE(ReadFile(small / "a") == bytes);
  fs::remove(small / "a");
  WriteFile(small / "other", bytes);
  EXPECT_THROW(Download(down), Error);
  EXPECT_EQ(::umount(small.c_str()), 0);
}

TEST_F(SshFilesTest, WhatTheHostDoesNotHaveIsSaid) {
  WriteThere("a", "a");
  WriteThere("folder/b", "b");
  EXPECT_THAT(Download({{here() / "none", there() + "/none"},
                        {here() / "a", there() + "/a"},
                        {here() / "folder", there() + "/folder"},
                        {here() / "deep/none", there() + "/no/such"}}),
              ElementsAre(Downloaded::kMissing, Downloaded::kDone, Downloaded::kMissing, Downloaded::kMissing));
  EXPECT_THAT(Names(here()), ElementsAre("a"));
}

TEST_F(SshFilesTest, TheLongestNamesThatAFileSystemTakesComeAndGo) {
  for (const std::size_t length : {240u, 254u, 255u}) {
    const std::string name(length, 'n');
    WriteFile(here() / name, "long");
    target_->Upload({{here() / name, there() + "/" + name}}, "rs_0123456789abcdef0123456789abcdef", cancel_, {});
    EXPECT_EQ(ReadFile(there() + "/" + name), "long");
    fs::remove(here() / name);
    EXPECT_THAT(Download({{here() / name, there() + "/" + name}}), ElementsAre(Downloaded::kDone));
    EXPECT_EQ(ReadFile(here() / name), "long");
    fs::remove(here() / name);
  }
}

TEST_F(SshFilesTest, ALinkThatLeavesItsFolderIsNotFollowed) {
  WriteThere("secret", "secret");
  WriteThere("out/real", "real");
  const std::string out = there() + "/out";
  fs::create_symlink("../secret", out + "/up");
  fs::create_symlink(there() + "/secret", out + "/absolute");
  fs::create_symlink("real", out + "/inside");
  fs::create_directory_symlink(there(), out + "/folder");
  EXPECT_THAT(Download({{here() / "up", out + "/up", "", out},
                        {here() / "absolute", out + "/absolute", "", out},
                        {here() / "folder", out + "/folder/secret", "", out},
                        {here() / "inside", out + "/inside", "", out}}),
              ElementsAre(Downloaded::kOutside, Downloaded::kOutside, Downloaded::kOutside, Downloaded::kDone));
  EXPECT_THAT(Names(here()), ElementsAre("inside"));
}

TEST_F(SshFilesTest, ADownloadReplacesWhatIsHere) {
  WriteThere("a", "a new one");
  WriteFile(here() / "a", "the old one");
  WriteFile(here() / ".a.part", "left of something else, and longer");
  EXPECT_THAT(Download({{here() / "a", there() + "/a"}}), ElementsAre(Downloaded::kDone));
  EXPECT_EQ(ReadFile(here() / "a"), "a new one");
  EXPECT_THAT(Names(here()), ElementsAre("a"));
  WriteFile(here() / ".a.part", "left");  // shorter than what is there, and no beginning of it
  fs::remove(here() / "a");
  EXPECT_THAT(Download({{here() / "a", there() + "/a"}}), ElementsAre(Downloaded::kDone));
  EXPECT_EQ(ReadFile(here() / "a"), "a new one");
  EXPECT_THAT(Names(here()), ElementsAre("a"));
}

TEST_F(SshFilesTest, AnUploadReplacesWhatIsThere) {
  WriteFile(here() / "a", "a new one");
  WriteThere("a", "the old one");
  fs::create_symlink(there() + "/a", there() + "/link");
  Upload({{here() / "a", there() + "/link"}});
  EXPECT_EQ(ReadFile(there() + "/link"), "a new one");
  EXPECT_EQ(ReadFile(there() + "/a"), "the old one");  // the link was replaced and not followed
}

}  // namespace
}  // namespace cosmos::testing
