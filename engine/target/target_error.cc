#include "target/target_error.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/failure_patterns.h"

namespace cosmos {
namespace {

// The words of strerror(3) for what no second try changes.
constexpr std::array<std::string_view, 3> kForbidden = {"Permission denied", "Read-only file system",
                                                        "Operation not permitted"};

bool IsForbidden(const std::string& message) {
  return std::any_of(kForbidden.begin(), kForbidden.end(),
                     [&](std::string_view words) { return message.find(words) != message.npos; });
}

FailureKind KindOfError(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kInvalidInput:
      return FailureKind::kInvalidInput;
    case ErrorCode::kConnectionLost:
      return FailureKind::kConnectionLost;
    case ErrorCode::kIo:
    case ErrorCode::kUnavailable:
      break;
    default:
      return FailureKind::kPluginError;
  }
  if (ReadVerdict(error.message()).kind == FailureKind::kDiskFull) return FailureKind::kDiskFull;
  return IsForbidden(error.message()) ? FailureKind::kInvalidInput : FailureKind::kPluginError;
}

std::string HintFor(FailureKind kind, const std::string& name, const Error& error) {
  if (!error.hint().empty()) return error.hint();
  if (kind == FailureKind::kDiskFull) return ReadVerdict(error.message()).advice;
  if (kind == FailureKind::kInvalidInput) return "see `cosmos-engine targets check " + name + "`";
  return "";
}

}  // namespace

FailureKind KindOf(const std::exception& exception) {
  const auto* const error = dynamic_cast<const Error*>(&exception);
  return error != nullptr ? KindOfError(*error) : FailureKind::kPluginError;
}

Error OfTarget(const std::string& name, const Error& error) {
  return Error(error.code(), "target '" + name + "': " + error.message(), HintFor(KindOfError(error), name, error),
               error.where());
}

}  // namespace cosmos
