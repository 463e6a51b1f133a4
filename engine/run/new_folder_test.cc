#include "run/new_folder.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "core/error.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;

class NewFolderTest : public ::testing::Test {
 protected:
  NewFolderTest() {
    char name[] = "/tmp/cosmos-folder-XXXXXX";
    place_ = ::mkdtemp(name);
    path_ = place_ / "out/.runs/rs_a";
  }
  ~NewFolderTest() override { fs::remove_all(place_); }

  fs::path place_;
  fs::path path_;
  NewFolder folder_;
};

TEST_F(NewFolderTest, TakesAwayWhatItMade) {
  folder_.Make(path_);
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms(0700));
  std::ofstream(path_ / "lock") << "x";
  folder_.Discard();
  EXPECT_TRUE(fs::is_empty(place_));
}

TEST_F(NewFolderTest, KeepsWhatWasThereAndWhatOthersUse) {
  fs::create_directories(place_ / "out");
  folder_.Make(path_);
  fs::create_directories(place_ / "out/.runs/rs_b");
  folder_.Discard();
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_TRUE(fs::exists(place_ / "out/.runs/rs_b"));
  NewFolder other;
  other.Make(place_ / "out/.runs/rs_b");
  other.Discard();
  EXPECT_TRUE(fs::exists(place_ / "out/.runs/rs_b"));
}

TEST_F(NewFolderTest, KeepsWhatIsToBeKept) {
  folder_.Make(path_);
  folder_.Keep();
  folder_.Discard();
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(NewFolderTest, SaysWhatStandsInTheWay) {
  std::ofstream(place_ / "out") << "x";
  EXPECT_THROW(folder_.Make(path_), Error);
  folder_.Discard();
  EXPECT_TRUE(fs::exists(place_ / "out"));
}

}  // namespace
}  // namespace cosmos
