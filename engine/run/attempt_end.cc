#include "run/attempt_end.h"

namespace cosmos {

FailureKind KindOf(const Error& error) {
  if (error.code() == ErrorCode::kInvalidInput) return FailureKind::kInvalidInput;
  const bool disk_full = error.code() == ErrorCode::kIo && error.message().find("No space left") != std::string::npos;
  return disk_full ? FailureKind::kDiskFull : FailureKind::kPluginError;
}

}  // namespace cosmos
