#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/masker.h"
#include "core/run_context.h"
#include "event/event.h"
#include "run/attempt_end.h"
#include "store/store_writer.h"
#include "workflow/plan.h"

namespace cosmos {

// What a record says of its attempt, for the attempt's events.
AttemptFacts FactsOf(const StageRecord& record);

// The store's record of one attempt, written by the store's own thread in the order of the calls. Not thread-safe.
class AttemptRecord {
 public:
  // `started_at` of an attempt that an earlier engine began; 0: now. The pointers must outlive the record.
  AttemptRecord(StoreWriter* store, Clock* clock, const RunContext& context, const StageInstance& instance,
                std::int64_t started_at);

  std::int64_t started_at() const { return record_.started_at; }
  void SetPrompt(const std::string& prompt_id) { record_.prompt_id = prompt_id; }

  // Of the record as it is now.
  AttemptFacts Facts() const { return FactsOf(record_); }

  void Begin(Status status);
  // The change that says that the stage's job runs and logs to `log_path`; to be committed with the job's handle.
  StoreWriter::Change Running(const std::string& log_path) const;
  void End(const AttemptEnd& end, const Masker& masker);

 private:
  StoreWriter::Change Put(const StageRecord& record) const;

  StoreWriter* const store_;
  Clock* const clock_;
  StageRecord record_;
  const SteadyTime begun_;  // by this engine
  const std::shared_ptr<std::uint64_t> id_ = std::make_shared<std::uint64_t>(0);
};

}  // namespace cosmos
