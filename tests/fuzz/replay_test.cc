// Reads the seeds of all fuzz targets, and the inputs that fuzzing found, in the ordinary build.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "fuzz/fuzz_targets.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;

class ReplayTest : public ::testing::TestWithParam<FuzzTarget> {};

TEST_P(ReplayTest, ReadsAnyInput) {
  int files = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(FUZZ_CORPUS) / GetParam().name)) {
    SCOPED_TRACE(entry.path());
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    const std::string input = text.str();
    EXPECT_NO_THROW(GetParam().read(input));
    // As a connection or a disk that fails leaves it.
    EXPECT_NO_THROW(GetParam().read(std::string_view(input).substr(0, input.size() / 2)));
    ++files;
  }
  EXPECT_GT(files, 0);
}

TEST_P(ReplayTest, ReadsNothing) { EXPECT_NO_THROW(GetParam().read("")); }

INSTANTIATE_TEST_SUITE_P(All, ReplayTest, ::testing::ValuesIn(kFuzzTargets),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace cosmos::testing
