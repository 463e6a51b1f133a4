#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/command.h"

namespace cosmos {

// For tests of this folder: a folder of its own, and the real ffmpeg to fill it.
class MediaFixture : public ::testing::Test {
 protected:
  MediaFixture() {
    char name[] = "/tmp/cosmos-media-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~MediaFixture() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Path(const std::string& name) const { return folder_ / name; }

  // Runs ffmpeg with the words, which must succeed.
  void Ffmpeg(std::vector<std::string> words) const {
    words.insert(words.begin(), {"ffmpeg", "-nostdin", "-v", "error", "-y"});
    const CommandResult result = RunCommand(words, std::chrono::hours(1), cancel_);
    ASSERT_EQ(result.exit_status, 0) << result.output;
  }

  // Makes a file of one of ffmpeg's own sources, such as "testsrc2=s=64x48:r=10:d=1"; gives its path.
  std::filesystem::path Make(const std::string& name, const std::string& source,
                             const std::vector<std::string>& more = {}) const {
    std::filesystem::create_directories(Path(name).parent_path());
    std::vector<std::string> words = {"-f", "lavfi", "-i", source};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back("file:" + Path(name).string());
    Ffmpeg(words);
    return Path(name);
  }

  std::filesystem::path folder_;
  CancelToken cancel_;
};

// While it lives, programs are looked for in a folder that is not there.
class NoPrograms {
 public:
  NoPrograms() : path_(::getenv("PATH")) { ::setenv("PATH", "/nonexistent", 1); }
  ~NoPrograms() { ::setenv("PATH", path_.c_str(), 1); }
  NoPrograms(const NoPrograms&) = delete;
  NoPrograms& operator=(const NoPrograms&) = delete;

 private:
  std::string path_;
};

}  // namespace cosmos
