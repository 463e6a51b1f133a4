#pragma once

#include <string>

#include "event/span.h"
#include "run/attempt_end.h"
#include "run/attempt_record.h"
#include "run/run_services.h"
#include "run/run_state.h"

namespace cosmos {

// One attempt from its start to its end, as the store and the bus are told of it: exactly one end follows each start.
// Not thread-safe.
class OpenAttempt {
 public:
  // Publishes the start, unless an earlier engine did. The services and the instance must outlive the attempt.
  OpenAttempt(const RunServices* services, RunContext context, const StageInstance& instance,
              const InstanceState& begin);

  const RunContext& context() const { return context_; }
  std::int64_t started_at() const { return record_.started_at(); }
  // The prompt of the attempt's own parameters.
  void SetPrompt(const std::string& prompt_id);
  void Begin(Status status) { record_.Begin(status); }
  StoreWriter::Change Running(const std::string& log_path) const { return record_.Running(log_path); }

  // Records and publishes the end; gives it with its status, which follows from the failure, and with a failure's
  // message as people are told it. To be called once, last.
  AttemptEnd Close(AttemptEnd end);

 private:
  const RunServices& services_;
  RunContext context_;
  const StageInstance& instance_;
  AttemptRecord record_;
  StageSpan span_;
};

}  // namespace cosmos
