#include "core/status.h"

#include <array>
#include <string>

#include "core/error.h"

namespace cosmos {
namespace {

// In the order of the enumerators.
constexpr std::array<std::string_view, 9> kStatusWords = {"pending",   "ready",  "starting",  "running", "retrying",
                                                          "succeeded", "failed", "cancelled", "skipped"};
constexpr std::array<std::string_view, 19> kFailureWords = {"",
                                                            "exit_code",
                                                            "killed",
                                                            "timeout",
                                                            "stalled",
                                                            "cancelled",
                                                            "connection_lost",
                                                            "host_rebooted",
                                                            "output_missing",
                                                            "output_invalid",
                                                            "cuda_oom",
                                                            "guardrail_blocked",
                                                            "nccl_timeout",
                                                            "checkpoint_missing",
                                                            "disk_full",
                                                            "gpu_busy",
                                                            "plugin_error",
                                                            "plugin_crashed",
                                                            "invalid_input"};

}  // namespace

std::string_view ToString(Status status) { return kStatusWords.at(static_cast<size_t>(status)); }

Status StatusOf(std::string_view word) {
  for (size_t i = 0; i < kStatusWords.size(); ++i) {
    if (kStatusWords[i] == word) return static_cast<Status>(i);
  }
  throw Error(ErrorCode::kInternal, "'" + std::string(word) + "' is not a status");
}

bool IsEnd(Status status) { return status >= Status::kSucceeded; }

std::string_view ToString(FailureKind kind) { return kFailureWords.at(static_cast<size_t>(kind)); }

FailureKind FailureKindOf(std::string_view word) {
  for (size_t i = 0; i < kFailureWords.size(); ++i) {
    if (kFailureWords[i] == word) return static_cast<FailureKind>(i);
  }
  return FailureKind::kPluginError;
}

}  // namespace cosmos
