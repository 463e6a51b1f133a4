#include "target/ssh/list_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "target/local/list_folder.h"
#include "target/ssh/scripts_fixture.h"

namespace cosmos {

// How gtest shows them; found by their namespace.
static bool operator==(const FolderListing::Entry& a, const FolderListing::Entry& b) {
  return a.path == b.path && a.kind == b.kind;
}
static void PrintTo(const FolderListing::Entry& entry, std::ostream* out) {
  *out << static_cast<int>(entry.kind) << " " << ::testing::PrintToString(entry.path);
}

namespace {

namespace fs = std::filesystem;
using State = FolderListing::State;
using Kind = FolderListing::Kind;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

// While it lives, root, who may read all, is a user who may not.
class AsNobody {
 public:
  AsNobody() : was_root_(::geteuid() == 0) {
    if (was_root_) Become(kNobody);
  }
  ~AsNobody() {
    if (was_root_) Become(0);
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  static void Become(uid_t user) { EXPECT_EQ(::setresuid(user, user, 0), 0); }
  const bool was_root_;
};

// What a host's shell says and what this machine finds is the same.
class ListScriptTest : public ScriptsTest {
 protected:
  ListScriptTest() { MakeFolders(out()); }
  fs::path out() const { return fs::path(root_) / "out"; }
  void Touch(const std::string& name) const {
    MakeFolders((out() / name).parent_path());
    WriteFile(out() / name, "x");
  }
  FolderListing List(const std::string& folder, bool deep = true) const {
    const FolderListing there = ParseListing(Ask(ListScript(folder, out(), deep)));
    const FolderListing here = ListFolder(folder, out(), deep);
    EXPECT_EQ(there.state, here.state);
    EXPECT_THAT(there.entries, UnorderedElementsAreArray(here.entries));
    return there;
  }
};

INSTANTIATE_TEST_SUITE_P(By, ListScriptTest, Shells(), ShellName);

TEST_P(ListScriptTest, NamesAreNotTakenApart) {
  std::vector<FolderListing::Entry> expected;
  for (const std::string& name : kOddWords) {
    for (const std::string& path : {name, "sub " + name + "/" + name, ".h/." + name}) {
      Touch(path);
      expected.push_back({path, Kind::kFile});
    }
  }
  Touch("...");
  expected.push_back({"...", Kind::kFile});
  EXPECT_THAT(List(out()).entries, UnorderedElementsAreArray(expected));
  EXPECT_FALSE(fs::exists(fs::path(root_) / "PWNED"));
}

TEST_P(ListScriptTest, AFlatListLeavesFoldersOut) {
  for (const char* name : {"a", "sub/b", "sub/sub/c"}) Touch(name);
  EXPECT_THAT(List(out(), false).entries, UnorderedElementsAre(FolderListing::Entry{"a", Kind::kFile}));
  EXPECT_THAT(List(out() / "sub").entries,
              UnorderedElementsAre(FolderListing::Entry{"b", Kind::kFile}, FolderListing::Entry{"sub/c", Kind::kFile}));
}

TEST_P(ListScriptTest, SaysWhatIsNoFile) {
  Touch("a");
  Touch("sub/b");
  fs::create_symlink("a", out() / "link");
  fs::create_symlink("sub", out() / "folder");
  fs::create_symlink("nothing", out() / "dangling");
  fs::create_symlink("loop", out() / "loop");
  ASSERT_EQ(::mkfifo((out() / "pipe").c_str(), 0600), 0);
  fs::create_symlink("pipe", out() / "to_pipe");
  EXPECT_THAT(List(out()).entries,
              UnorderedElementsAre(
                  FolderListing::Entry{"a", Kind::kFile}, FolderListing::Entry{"sub/b", Kind::kFile},
                  FolderListing::Entry{"link", Kind::kLink}, FolderListing::Entry{"folder", Kind::kLinkToFolder},
                  FolderListing::Entry{"dangling", Kind::kDangling}, FolderListing::Entry{"loop", Kind::kDangling},
                  FolderListing::Entry{"pipe", Kind::kOther}, FolderListing::Entry{"to_pipe", Kind::kOther}));
}

TEST_P(ListScriptTest, SaysWhyThereIsNoList) {
  Touch("a");
  fs::create_symlink("/tmp", out() / "leads_out");
  fs::create_symlink("sub", out() / "leads_in");
  MakeFolders(out() / "sub");
  EXPECT_EQ(List(out() / "nothing").state, State::kMissing);
  EXPECT_EQ(List(out() / "a").state, State::kNoFolder);
  EXPECT_EQ(List(out() / "leads_out").state, State::kOutside);
  EXPECT_EQ(List(out() / "leads_in").state, State::kListed);
  EXPECT_THAT(List(out() / "sub").entries, IsEmpty());
}

TEST_P(ListScriptTest, WhatMayNotBeReadIsNotLeftOutInSilence) {
  Touch("sub/b");
  fs::permissions(out() / "sub", fs::perms::none);
  fs::permissions(root_, fs::perms::all);
  fs::permissions(out(), fs::perms::all);
  {
    const AsNobody nobody;
    EXPECT_EQ(List(out()).state, State::kUnreadable);
    EXPECT_EQ(List(out() / "sub").state, State::kUnreadable);
  }
  fs::permissions(out() / "sub", fs::perms::owner_all);
}

TEST(ParseListing, RefusesWhatTheScriptDoesNotSay) {
  const auto text = [](std::string_view with_bars) {
    std::string said(with_bars);
    std::replace(said.begin(), said.end(), '|', '\0');
    return said;
  };
  EXPECT_EQ(ParseListing(text("f a|end listed|")).entries.size(), 1u);
  EXPECT_EQ(ParseListing(text("end missing|")).state, State::kMissing);
  for (const char* said : {"", "f a|", "f a", "f |end listed|", "x a|end listed|", "end|", "end soon|",
                           "end listed|f a|", "f a|end listed", "|end listed|", "hello"}) {
    EXPECT_THROW(ParseListing(text(said)), Error) << said;
  }
}

TEST(ParseListing, ACutListIsNoList) {
  std::string said;
  while (said.size() < FolderListing::kMaxBytes) said += "f " + std::string(100, 'a') + std::string(1, '\0');
  said.resize(FolderListing::kMaxBytes);
  EXPECT_EQ(ParseListing(said).state, State::kTooLong);
}

}  // namespace
}  // namespace cosmos
