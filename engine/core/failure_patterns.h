#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace cosmos {

// What the end of a failed job's log says of why it failed.
struct LogVerdict {
  FailureKind kind = FailureKind::kNone;  // kNone: it says nothing of a kind
  std::string what;                       // such as "the GPU's memory was not enough"; empty: nothing is known
  std::string line;                       // in which it stands, shortened
  std::string advice;
};

// How much of a log's end holds its error.
constexpr std::size_t kVerdictBytes = 1 << 20;

// Looks for the messages of one table, made of those that PyTorch, NCCL, the Cosmos models, container engines and the
// NVIDIA driver really print. Of several the one that explains the others counts: ranks that wait for one that ran out
// of memory time out as well. A pure function; any thread.
LogVerdict ReadVerdict(std::string_view log);

// `failure` in the words of the log's verdict. Only a failure that tells no more than that the job failed (an exit
// status, a missing or broken output) takes the verdict's kind. That a job has failed is never read from its log.
Failure Explained(const Failure& failure, const LogVerdict& verdict);

// A message that says that the GPU's memory was not enough, with advice that the stage can follow: `steps` are those
// that its plugin knows for `retry.on_oom`, and that the stage does not have yet. Other messages stay as they are.
std::string WithOomSteps(const std::string& message, const std::vector<std::string>& steps);

}  // namespace cosmos
