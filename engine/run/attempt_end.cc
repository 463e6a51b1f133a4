#include "run/attempt_end.h"

#include "core/error.h"

namespace cosmos {

namespace {

FailureKind KindOf(const Error& error) {
  if (error.code() == ErrorCode::kInvalidInput) return FailureKind::kInvalidInput;
  const bool disk_full = error.code() == ErrorCode::kIo && error.message().find("No space left") != std::string::npos;
  return disk_full ? FailureKind::kDiskFull : FailureKind::kPluginError;
}

}  // namespace

Failure FailureOf(const std::exception& exception) {
  const auto* const error = dynamic_cast<const Error*>(&exception);
  return {error != nullptr ? KindOf(*error) : FailureKind::kPluginError, exception.what()};
}

}  // namespace cosmos
