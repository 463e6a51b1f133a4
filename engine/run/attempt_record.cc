#include "run/attempt_record.h"

#include "core/text.h"
#include "run/mask_json.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

constexpr std::size_t kMostMessage = 1000;

}  // namespace

AttemptFacts FactsOf(const StageRecord& record) {
  AttemptFacts facts;
  facts.uses = record.uses;
  facts.target = record.target;
  facts.prompt_id = record.prompt_id;
  facts.prompt_name = record.prompt_name;
  facts.operation_id = record.operation_id;
  facts.log_path = record.log_path;
  facts.progress = record.progress;
  // A failed attempt's event has the failure itself.
  if (record.status == ToString(Status::kCancelled) || record.status == ToString(Status::kSkipped)) {
    facts.failure = {FailureKindOf(record.failure_kind), record.error_message};
  }
  facts.started_at = record.started_at;
  facts.ended_at = record.ended_at;
  return facts;
}

AttemptRecord::AttemptRecord(StoreWriter* store, Clock* clock, const RunContext& context, const StageInstance& instance,
                             std::int64_t started_at)
    : store_(store), clock_(clock), begun_(clock->Steady()) {
  SetAttempt(context, &record_);
  record_.uses = instance.uses;
  record_.target = instance.target;
  record_.prompt_id = context.prompt_id;
  record_.prompt_name = context.prompt_name;
  record_.operation_id = context.operation_id;
  record_.started_at = started_at != 0 ? started_at : UnixMilliseconds(clock->Wall());
}

void AttemptRecord::Begin(Status status) {
  record_.status = ToString(status);
  store_->Write(Put(record_));
}

StoreWriter::Change AttemptRecord::Running(const std::string& log_path) const {
  StageRecord running = record_;
  running.log_path = log_path;
  running.status = ToString(Status::kRunning);
  return [put = Put(running), run_id = record_.run_id, log_path](RunStore& store) {
    put(store);
    store.SetRunLogPath(run_id, log_path);
  };
}

void AttemptRecord::End(const AttemptEnd& end, const Masker& masker) {
  record_.status = ToString(end.status);
  record_.failure_kind = ToString(end.failure.kind);
  record_.error_message = TruncateUtf8(end.failure.message, kMostMessage);
  record_.log_path = end.log_path;
  record_.progress = end.progress;
  if (end.status == Status::kSucceeded) record_.outputs = MaskJson(end.outputs, masker).dump();
  // A clock that was set back meanwhile must not end an attempt before its start.
  record_.ended_at = EndedAt(clock_, record_.started_at, begun_);
  store_->Write(Put(record_));
}

StoreWriter::Change AttemptRecord::Put(const StageRecord& record) const {
  // Only the store's thread touches `id`.
  return [record, id = id_](RunStore& store) {
    StageRecord copy = record;
    copy.id = *id;
    store.PutStage(&copy);
    *id = copy.id;
  };
}

}  // namespace cosmos
