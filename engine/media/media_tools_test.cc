#include "media/media_tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "core/error.h"
#include "core/files.h"
#include "media/video_check.h"
#include "media/video_probe.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A PATH with the programs of a test alone.
class MediaToolsTest : public ::testing::Test {
 protected:
  MediaToolsTest() : path_(::getenv("PATH")) {
    char name[] = "/tmp/cosmos-tools-XXXXXX";
    folder_ = ::mkdtemp(name);
    ::setenv("PATH", folder_.c_str(), 1);
    WriteFile(folder_ / "video.mp4", "no video");
  }
  ~MediaToolsTest() override {
    ::setenv("PATH", path_.c_str(), 1);
    fs::remove_all(folder_);
  }
  void Program(const std::string& name, const std::string& script) {
    WriteFile(folder_ / name, "#!/bin/sh\n" + script + "\n", 0755);
  }
  Error ErrorOfProbe() {
    try {
      ProbeVideo(folder_ / "video.mp4", cancel_);
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::kInternal, "no error");
  }

  const std::string path_;
  fs::path folder_;
  CancelToken cancel_;
};

TEST_F(MediaToolsTest, AMissingProgramIsNoFaultOfTheFile) {
  EXPECT_EQ(ProblemOfMediaTool("ffprobe", cancel_), "there is no ffprobe on this machine");
  EXPECT_EQ(ErrorOfProbe().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(CheckVideo(folder_ / "video.mp4", cancel_).problem, HasSubstr("there is no ffmpeg on this machine"));
}

TEST_F(MediaToolsTest, ABrokenProgramIsNoFaultOfTheFile) {
  const char* const broken[] = {"exit 1", "kill -s SEGV $$",
                                "echo 'error while loading shared libraries: libx.so' >&2; exit 127", "echo nonsense"};
  for (const char* script : broken) {
    Program("ffprobe", script);
    Program("ffmpeg", script);
    EXPECT_THAT(ProblemOfMediaTool("ffprobe", cancel_), HasSubstr("ffprobe does not work on this machine")) << script;
    const Error error = ErrorOfProbe();
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable) << script;
    EXPECT_THAT(error.message(), HasSubstr("ffprobe does not work")) << script;
    EXPECT_THAT(CheckVideo(folder_ / "video.mp4", cancel_).problem, HasSubstr("ffmpeg does not work")) << script;
  }
}

TEST_F(MediaToolsTest, AWorkingProgramBlamesTheFile) {
  ::setenv("PATH", path_.c_str(), 1);
  EXPECT_EQ(ProblemOfMediaTool("ffmpeg", cancel_), "");
  EXPECT_EQ(ErrorOfProbe().code(), ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace cosmos
