#include "target/target_error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>

namespace cosmos {
namespace {

TEST(TargetError, ErrorsBecomeFailureKinds) {
  const auto kind = [](ErrorCode code, const char* message) { return KindOf(Error(code, message)); };
  EXPECT_EQ(kind(ErrorCode::kConnectionLost, "gone"), FailureKind::kConnectionLost);
  EXPECT_EQ(kind(ErrorCode::kInvalidInput, "the host h is not known"), FailureKind::kInvalidInput);
  EXPECT_EQ(kind(ErrorCode::kUnavailable, "cannot do what is asked: cat: write error: No space left on device"),
            FailureKind::kDiskFull);
  EXPECT_EQ(kind(ErrorCode::kUnavailable, "mkdir: Disk quota exceeded"), FailureKind::kDiskFull);
  EXPECT_EQ(KindOf(IoError("write", "/out", ENOSPC)), FailureKind::kDiskFull);
  EXPECT_EQ(KindOf(IoError("make the folder", "/out", EACCES)), FailureKind::kInvalidInput);
  EXPECT_EQ(KindOf(IoError("write", "/out", EROFS)), FailureKind::kInvalidInput);
  EXPECT_EQ(KindOf(IoError("read", "checkpoints/x", ENOENT)), FailureKind::kPluginError);
  EXPECT_EQ(kind(ErrorCode::kUnavailable, "there is no setsid"), FailureKind::kPluginError);
  // Only what a machine says is read for words; a plugin may speak of anything.
  EXPECT_EQ(kind(ErrorCode::kPlugin, "No space left on device"), FailureKind::kPluginError);
  EXPECT_EQ(KindOf(std::runtime_error("No space left on device")), FailureKind::kPluginError);
}

TEST(TargetError, OfATargetItNamesItAndSaysWhatToDo) {
  EXPECT_STREQ(OfTarget("gpu1", Error(ErrorCode::kUnavailable, "cat: No space left on device")).what(),
               "target 'gpu1': cat: No space left on device; free space there; `cosmos-engine gc` removes what ended "
               "runs left");
  EXPECT_STREQ(OfTarget("gpu1", Error(ErrorCode::kUnavailable, "mkdir: Permission denied")).what(),
               "target 'gpu1': mkdir: Permission denied; see `cosmos-engine targets check gpu1`");
  const Error own = OfTarget("gpu1", Error(ErrorCode::kInvalidInput, "no key", "use ssh-add", "w.yaml:1:2"));
  EXPECT_EQ(own.hint(), "use ssh-add");
  EXPECT_EQ(own.where(), "w.yaml:1:2");
  EXPECT_EQ(own.code(), ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace cosmos
