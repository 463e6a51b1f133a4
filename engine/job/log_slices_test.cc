#include "job/log_slices.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/files.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

class LogSlicesTest : public testing::Test {
 protected:
  LogSlicesTest() {
    char name[] = "/tmp/cosmos-slices-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~LogSlicesTest() override { fs::remove_all(folder_); }

  // The slices of `log` by these markers.
  std::vector<std::string> Slice(const std::string& log, const std::vector<std::string>& markers) {
    WriteFile(folder_ / "log", log);
    slices_.clear();
    for (const std::string& marker : markers) {
      slices_.push_back({marker, folder_ / "logs" / std::to_string(slices_.size())});
    }
    SliceLog(folder_ / "log", &slices_);
    std::vector<std::string> texts;
    for (const LogSlice& slice : slices_) texts.push_back(ReadFile(slice.path));
    return texts;
  }

  fs::path folder_;
  std::vector<LogSlice> slices_;
};

using Texts = std::vector<std::string>;

TEST_F(LogSlicesTest, EachGetsTheBeginningAndItsOwnPart) {
  EXPECT_EQ(Slice("load\n[1/2] sample a\none\r two\n[2/2] sample b\nthree", {"sample a", "sample b"}),
            (Texts{"load\n[1/2] sample a\none\r two\n", "load\n[2/2] sample b\nthree"}));
}

TEST_F(LogSlicesTest, TheSameMarkerIsCounted) {
  EXPECT_EQ(Slice("begin\nx\nbegin\ny\n", {"begin", "begin", "begin"}), (Texts{"begin\nx\n", "begin\ny\n", ""}));
  EXPECT_TRUE(slices_[1].begun);
  EXPECT_FALSE(slices_[2].begun);
}

TEST_F(LogSlicesTest, ALogWithoutMarkersIsEverybodys) {
  const std::string bytes("no line end, \0 and \xff", 20);
  EXPECT_EQ(Slice(bytes, {"begin", ""}), (Texts{bytes, bytes}));
  EXPECT_EQ(Slice("", {"a"}), (Texts{""}));
}

TEST_F(LogSlicesTest, OrderDoesNotMatter) { EXPECT_EQ(Slice("b\n1\na\n2\n", {"a", "b"}), (Texts{"a\n2\n", "b\n1\n"})); }

TEST_F(LogSlicesTest, APartThatIsThereIsCountedAndNotWritten) {
  WriteFile(folder_ / "log", "begin\nx\nbegin\ny\n");
  slices_ = {{"begin", ""}, {"begin", folder_ / "second"}};
  SliceLog(folder_ / "log", &slices_);
  EXPECT_EQ(ReadFile(folder_ / "second"), "begin\ny\n");
}

TEST_F(LogSlicesTest, AMissingLogIsAnError) {
  std::vector<LogSlice> slices = {{"a", folder_ / "a"}};
  EXPECT_THROW(SliceLog(folder_ / "none", &slices), Error);
}

}  // namespace
}  // namespace cosmos
