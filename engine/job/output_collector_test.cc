#include "job/output_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <set>

#include "core/command.h"
#include "core/error.h"
#include "core/files.h"
#include "core/sha256.h"
#include "job/fake_target.h"
#include "target/local/local_target.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

class OutputCollectorTest : public ::testing::Test {
 protected:
  OutputCollectorTest() {
    char name[] = "/tmp/cosmos-outputs-XXXXXX";
    root_ = ::mkdtemp(name);
    MakeFolders(out());
  }
  ~OutputCollectorTest() override { fs::remove_all(root_); }
  fs::path job() const { return root_ / "job"; }
  fs::path out() const { return job() / "out"; }
  fs::path local() const { return root_ / "local"; }

  Collection Collect(const std::vector<JobOutput>& outputs) {
    return OutputCollector(outputs, job(), local()).Collect(&target_, cancel_);
  }
  void Put(const std::string& name, const std::string& content) const {
    MakeFolders((out() / name).parent_path());
    WriteFile(out() / name, content);
  }
  std::set<std::string> LocalNames() const {
    std::set<std::string> names;
    if (!fs::exists(local())) return names;
    for (const auto& entry : fs::recursive_directory_iterator(local())) {
      names.insert(entry.path().lexically_relative(local()));
    }
    return names;
  }
  void MakeVideo(const fs::path& path) {
    ASSERT_EQ(RunCommand({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=1:s=64x64:r=10",
                          "-pix_fmt", "yuv420p", path.string()},
                         1min, cancel_)
                  .exit_status,
              0);
  }

  fs::path root_;
  CancelToken cancel_;
  LocalTarget target_;
};

TEST_F(OutputCollectorTest, MovesOutputsIntoPlaceWithSizeAndDigest) {
  WriteFile(out() / "a.txt", "hello");
  const Collection collection = Collect({{"text", "a.txt", false, false}});
  ASSERT_FALSE(collection.failure);
  ASSERT_EQ(collection.outputs.size(), 1u);
  EXPECT_EQ(collection.outputs[0].path, local() / "a.txt");
  EXPECT_EQ(collection.outputs[0].size, 5);
  EXPECT_EQ(collection.outputs[0].sha256, Sha256("hello"));
  EXPECT_EQ(ReadFile(local() / "a.txt"), "hello");
}

TEST_F(OutputCollectorTest, GoesOnAfterACrashHalfWay) {
  WriteFile(out() / "a", "1");
  EXPECT_EQ(Collect({{"a", "a", false, false}, {"b", "b", false, false}}).failure.kind, FailureKind::kOutputMissing);
  WriteFile(out() / "b", "2");
  EXPECT_FALSE(Collect({{"a", "a", false, false}, {"b", "b", false, false}}).failure);
}

TEST_F(OutputCollectorTest, ALeftoverOfAnEarlierAttemptDoesNotCount) {
  MakeFolders(local());
  WriteFile(local() / "a", "old");
  const OutputCollector collector({{"a", "a", false, false}}, job(), local());
  collector.RemoveOld();
  EXPECT_EQ(collector.Collect(&target_, cancel_).failure.kind, FailureKind::kOutputMissing);
}

TEST_F(OutputCollectorTest, AnOptionalOutputMayBeMissing) {
  const Collection collection = Collect({{"a", "a", false, true}});
  EXPECT_FALSE(collection.failure);
  EXPECT_TRUE(collection.outputs.empty());
}

TEST_F(OutputCollectorTest, AVideoMustDecode) {
  MakeVideo(out() / "good.mp4");
  WriteFile(out() / "bad.mp4", "this is no video");
  WriteFile(out() / "cut.mp4", ReadFile(out() / "good.mp4").substr(0, 900));
  EXPECT_FALSE(Collect({{"v", "good.mp4", true, false}}).failure);
  EXPECT_EQ(Collect({{"v", "bad.mp4", true, false}}).failure.kind, FailureKind::kOutputInvalid);
  EXPECT_EQ(Collect({{"v", "cut.mp4", true, false}}).failure.kind, FailureKind::kOutputInvalid);
}

// --- Groups of files.

JobOutput Folder(const std::string& path) { return {"out", path, false, false, {}, OutputGroup{}}; }
JobOutput Wildcards(const std::string& path) {
  return {"out", path, false, false, {}, OutputGroup{FileGroup::Kind::kWildcards}};
}
JobOutput Frames(const std::string& path, const std::string& frames = "") {
  return {"out", path, false,
          false, {},   OutputGroup{FileGroup::Kind::kFrames, frames.empty() ? FrameSet() : FrameSet::Parse(frames)}};
}

TEST_F(OutputCollectorTest, AFolderComesWithAllThatIsInIt) {
  Put("frames/a.exr", "12");
  Put("frames/sub/b.exr", "345");
  Put("other", "x");
  const Collection collection = Collect({Folder("frames/")});
  ASSERT_FALSE(collection.failure) << collection.failure.message;
  ASSERT_EQ(collection.outputs.size(), 1u);
  EXPECT_EQ(collection.outputs[0].path, local() / "frames");
  EXPECT_EQ(collection.outputs[0].size, 5);
  EXPECT_EQ(collection.outputs[0].files, 2);
  EXPECT_EQ(collection.outputs[0].sha256, Sha256OfSums({{"a.exr", Sha256("12")}, {"sub/b.exr", Sha256("345")}}));
  EXPECT_EQ(ReadFile(local() / "frames/sub/b.exr"), "345");
  EXPECT_EQ(LocalNames(), (std::set<std::string>{"frames", "frames/a.exr", "frames/sub", "frames/sub/b.exr"}));
}

TEST_F(OutputCollectorTest, APatternTakesItsFilesAlone) {
  for (const char* name : {"f/b.1.exr", "f/b.2.exr", "f/b.3.exr", "f/notes.txt", "f/sub/b.4.exr"}) Put(name, "x");
  for (const JobOutput& output : {Wildcards("f/*.exr"), Frames("f/b.####.exr", "1-3"), Frames("f/b.%04d.exr")}) {
    const Collection collection = Collect({output});
    ASSERT_FALSE(collection.failure) << collection.failure.message;
    EXPECT_EQ(collection.outputs[0].path, local() / output.path);
    EXPECT_EQ(collection.outputs[0].files, 3);
  }
  EXPECT_EQ(LocalNames(), (std::set<std::string>{"f", "f/b.1.exr", "f/b.2.exr", "f/b.3.exr"}));
}

TEST_F(OutputCollectorTest, PatternsMayShareFilesAndStandAtTheTop) {
  for (const char* name : {"b.1.exr", "b.2.exr", "b.3.txt"}) Put(name, "x");
  const Collection collection = Collect({Wildcards("*"), Frames("b.#.exr"), {"one", "b.1.exr", false, false}});
  ASSERT_FALSE(collection.failure) << collection.failure.message;
  ASSERT_EQ(collection.outputs.size(), 3u);
  EXPECT_EQ(collection.outputs[0].files, 3);
  EXPECT_EQ(collection.outputs[1].files, 2);
  EXPECT_EQ(collection.outputs[1].path, local() / "b.#.exr");
}

TEST_F(OutputCollectorTest, WhatIsMissingIsToldAndTheRestIsKept) {
  for (const char* name : {"f/b.1001.exr", "f/b.1004.exr"}) Put(name, "x");
  const Failure failure = Collect({Frames("f/b.####.exr", "1001-1005")}).failure;
  EXPECT_EQ(failure.kind, FailureKind::kOutputMissing);
  EXPECT_THAT(failure.message, AllOf(HasSubstr("frames 1002-1003, 1005 of 1001-1005 are missing"),
                                     HasSubstr("2 files of it are in " + (local() / "f").string())));
  EXPECT_EQ(ReadFile(local() / "f/b.1004.exr"), "x");
  EXPECT_FALSE(fs::exists(local() / ".incoming"));
}

TEST_F(OutputCollectorTest, NothingIsAFailureThatSaysWhatIsThere) {
  Put("f/b.0001.png", "x");
  EXPECT_THAT(Collect({Frames("f/b.####.exr")}).failure.message, HasSubstr("found b.0001.png there instead"));
  EXPECT_EQ(Collect({Wildcards("g/*.exr")}).failure.kind, FailureKind::kOutputMissing);
  EXPECT_EQ(Collect({Folder("g/")}).failure.kind, FailureKind::kOutputMissing);
  MakeFolders(out() / "h/i");
  EXPECT_EQ(Collect({Folder("h/")}).failure.kind, FailureKind::kOutputMissing);
  JobOutput optional = Folder("g/");
  optional.optional = true;
  EXPECT_FALSE(Collect({optional}).failure);
}

TEST_F(OutputCollectorTest, LinksAreFollowedWithinTheOutputFolderAlone) {
  Put("f/b.1.exr", "x");
  fs::create_symlink("b.1.exr", out() / "f/b.2.exr");
  Collection collection = Collect({Folder("f/")});
  ASSERT_FALSE(collection.failure) << collection.failure.message;
  EXPECT_EQ(ReadFile(local() / "f/b.2.exr"), "x");
  EXPECT_FALSE(fs::is_symlink(local() / "f/b.2.exr"));
  collection = Collect({Folder("f/")});
  EXPECT_FALSE(collection.failure) << "after a crash: " << collection.failure.message;
  WriteFile(root_ / "secret", "x");
  Put("g/a", "x");
  fs::create_symlink(root_ / "secret", out() / "g/b");
  EXPECT_THAT(Collect({Folder("g/")}).failure.message, HasSubstr("leads out of the job's output folder"));
  EXPECT_FALSE(fs::exists(local() / "g/b"));
  fs::create_symlink(root_, out() / "h");
  EXPECT_THAT(Collect({Wildcards("h/*")}).failure.message, HasSubstr("leads out of the job's output folder"));
  MakeFolders(out() / "i");
  fs::create_symlink(root_, out() / "i/folder");
  EXPECT_THAT(Collect({Folder("i/")}).failure.message, HasSubstr("is a link to a folder"));
  MakeFolders(out() / "j");
  fs::create_symlink("nothing", out() / "j/dangling");
  EXPECT_THAT(Collect({Folder("j/")}).failure.message, HasSubstr("leads to no file"));
}

// Whatever part of the files had been moved, and wherever they stand by then.
TEST_F(OutputCollectorTest, AGroupGoesOnAfterACrashHalfWay) {
  Put("f/b.1.exr", "1");
  for (const char* folder : {"f", ".incoming/f"}) MakeFolders(local() / folder);
  WriteFile(local() / "f/b.2.exr", "2");
  WriteFile(local() / ".incoming/f/b.3.exr", "3");
  const Collection collection = Collect({Folder("f/")});
  ASSERT_FALSE(collection.failure) << collection.failure.message;
  EXPECT_EQ(collection.outputs[0].files, 3);
  EXPECT_FALSE(fs::exists(local() / ".incoming"));
}

TEST_F(OutputCollectorTest, LeftoversOfAnEarlierAttemptAreNoPartOfAGroup) {
  MakeFolders(local() / "f");
  MakeFolders(local() / ".incoming/f");
  for (const char* name : {"f/b.1.exr", "f/keep.txt", ".incoming/f/b.2.exr"}) WriteFile(local() / name, "old");
  OutputCollector({Frames("f/b.#.exr")}, job(), local()).RemoveOld();
  EXPECT_EQ(LocalNames(), (std::set<std::string>{"f", "f/keep.txt"}));
  OutputCollector({Folder("f/")}, job(), local()).RemoveOld();
  EXPECT_EQ(LocalNames(), (std::set<std::string>{}));
}

TEST_F(OutputCollectorTest, AnAbsoluteGroupOfThisMachineStaysWhereItIs) {
  MakeFolders(root_ / "render");
  for (const char* name : {"b.1.exr", "b.2.exr"}) WriteFile(root_ / "render" / name, "x");
  const std::string pattern = root_ / "render/b.#.exr";
  OutputCollector({Frames(pattern)}, job(), local()).RemoveOld();
  const Collection collection = Collect({Frames(pattern), Folder((root_ / "render/").string())});
  ASSERT_FALSE(collection.failure) << collection.failure.message;
  EXPECT_EQ(collection.outputs[0].path, pattern);
  EXPECT_EQ(collection.outputs[1].path, root_ / "render");
  EXPECT_EQ(collection.outputs[1].files, 2);
}

// What a host says is not believed.
class ListingTarget final : public FakeTarget {
 public:
  FolderListing List(const std::string&, const std::string&, bool) override { return listing; }
  std::vector<Downloaded> Download(const std::vector<FileTransfer>& files, const CancelToken&,
                                   const TransferListener&) override {
    downloads += files.size();
    return std::vector<Downloaded>(files.size(), Downloaded::kMissing);
  }
  FolderListing listing;
  std::size_t downloads = 0;
};

TEST_F(OutputCollectorTest, AListThatCannotBeIsRefusedBeforeAnythingIsFetched) {
  using Entries = std::vector<FolderListing::Entry>;
  ListingTarget target;
  const auto collect = [&](Entries entries) {
    target.listing.entries = std::move(entries);
    return OutputCollector({Folder("f/")}, job(), local()).Collect(&target, cancel_).failure;
  };
  for (const std::string& name :
       std::vector<std::string>{"../../.ssh/authorized_keys", "/etc/passwd", "a\nb", "a//b"}) {
    EXPECT_EQ(collect({{name, FolderListing::Kind::kFile}}).kind, FailureKind::kOutputInvalid) << name;
  }
  const auto file = [](const std::string& name) { return FolderListing::Entry{name, FolderListing::Kind::kFile}; };
  EXPECT_THAT(collect({file("a"), file("a")}).message, HasSubstr("is there twice"));
  EXPECT_THAT(collect({file("a"), file("a/b")}).message, HasSubstr("is a folder as well"));
  EXPECT_THAT(collect({{"p", FolderListing::Kind::kOther}}).message, HasSubstr("is no file"));
  Entries many;
  for (std::size_t i = 0; i <= FileGroup::kMaxFiles; ++i) many.push_back(file(std::to_string(i)));
  EXPECT_THAT(collect(many).message, HasSubstr("more than 100000 files"));
  target.listing.state = FolderListing::State::kTooLong;
  EXPECT_EQ(collect({}).kind, FailureKind::kOutputInvalid);
  EXPECT_EQ(target.downloads, 0u);
  target.listing.state = FolderListing::State::kListed;
  MakeFolders(local() / "f");
  WriteFile(local() / "f/a", "x");
  EXPECT_THAT(collect({file("a"), file("b")}).message, HasSubstr("has lost the file 'b'")) << "it does not send it";
}

TEST_F(OutputCollectorTest, APathMayNotLeaveTheOutputFolder) {
  EXPECT_THROW(OutputCollector({{"a", "../job.sh", false, false}}, job(), local()), Error);
  EXPECT_THROW(OutputCollector({{"a", "", false, false}}, job(), local()), Error);
  for (const char* path : {"./", "../f/", "f/../../g/"}) {
    EXPECT_THROW(OutputCollector({Folder(path)}, job(), local()), Error) << path;
  }
}

}  // namespace
}  // namespace cosmos
