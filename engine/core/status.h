#pragma once

#include <string>
#include <string_view>

namespace cosmos {

// Where a stage instance (and, by the same words, a run) stands; DESIGN 6.
enum class Status { kPending, kReady, kStarting, kRunning, kRetrying, kSucceeded, kFailed, kCancelled, kSkipped };

std::string_view ToString(Status status);
// Throws Error{kInternal} on a word that is no status.
Status StatusOf(std::string_view word);
// Whether nothing follows this status any more.
bool IsEnd(Status status);

// Why a stage failed; DESIGN 6. kNone: it did not.
enum class FailureKind {
  kNone,
  kExitCode,
  kKilled,
  kTimeout,
  kStalled,
  kCancelled,
  kConnectionLost,
  kHostRebooted,
  kOutputMissing,
  kOutputInvalid,
  kCudaOom,
  kGuardrailBlocked,
  kNcclTimeout,
  kCheckpointMissing,
  kDiskFull,
  kGpuBusy,
  kPluginError,
  kPluginCrashed,
  kInvalidInput,
};

std::string_view ToString(FailureKind kind);  // "" for kNone
// The kind of a word such as "exit_code"; kPluginError for a word that is none (plugins write these words).
FailureKind FailureKindOf(std::string_view word);

// How a stage attempt or a job failed: a kind, and a sentence that a person can act on. kind == kNone: it did not fail.
struct Failure {
  FailureKind kind = FailureKind::kNone;
  std::string message;

  explicit operator bool() const { return kind != FailureKind::kNone; }
};

}  // namespace cosmos
