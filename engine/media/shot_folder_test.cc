#include "media/shot_folder.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/files.h"
#include "media/media_fixture.h"

namespace cosmos {
namespace {

using ::testing::ElementsAre;

class ShotFolderTest : public MediaFixture {};

TEST_F(ShotFolderTest, ListsFilesAtAnyDepthButNotWhatIsMadeOfThem) {
  for (const char* name : {"b.1.png", "a/b/c.1.png", ".snapshots/x.1.png", "out/old.1.png", "outer/d.1.png"}) {
    MakeFolders(Path(name).parent_path());
    WriteFile(Path(name), "123");
  }
  std::filesystem::create_symlink("b.1.png", Path("link.1.png"));
  std::filesystem::create_symlink("nothing", Path("broken.1.png"));
  std::vector<std::string> paths;
  for (const ListedFile& file : ListFiles(folder_, Path("out"))) {
    paths.push_back(file.path);
    EXPECT_EQ(file.size, 3);
    EXPECT_GT(file.modified, 0);
  }
  EXPECT_THAT(paths, ElementsAre("a/b/c.1.png", "b.1.png", "link.1.png", "outer/d.1.png"));
}

TEST_F(ShotFolderTest, TheFolderMustBeThere) {
  EXPECT_THROW(ListFiles(Path("none"), Path("out")), Error);
  WriteFile(Path("file"), "");
  EXPECT_THROW(ListFiles(Path("file"), Path("out")), Error);
}

}  // namespace
}  // namespace cosmos
