#include "run/recovery.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/json_values.h"
#include "core/text.h"
#include "event/journal.h"
#include "run/attempt_record.h"
#include "run/retry_policy.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

using nlohmann::json;

std::string KeyOf(const std::string& stage, const std::string& instance, int attempt) {
  return stage + "\n" + instance + "\n" + std::to_string(attempt);
}

const std::set<std::string, std::less<>> kEnds = {"stage_finished", "stage_failed", "stage_cancelled", "stage_skipped"};

RunContext ContextOf(const StageRecord& record) {
  RunContext context = AttemptOf(record);
  context.prompt_name = record.prompt_name;
  context.prompt_id = record.prompt_id;
  context.operation_id = record.operation_id;
  return context;
}

json OutputsOf(const StageRecord& record) {
  const json outputs = TryParseJson(record.outputs.empty() ? "{}" : record.outputs, kOwnJson);
  return outputs.is_object() ? outputs : json::object();
}

Failure FailureOf(const StageRecord& record) { return {FailureKindOf(record.failure_kind), record.error_message}; }

EventPayload EndOf(const StageRecord& record) {
  switch (StatusOf(record.status)) {
    case Status::kSucceeded:
      return StageFinished{OutputsOf(record), FactsOf(record)};
    case Status::kCancelled:
      return StageCancelled{FactsOf(record)};
    case Status::kSkipped:
      return StageSkipped{record.error_message, FactsOf(record)};
    default:
      return StageFailed{FailureOf(record), FactsOf(record)};
  }
}

}  // namespace

History::History(std::vector<StageRecord> stages, const std::filesystem::path& journal, FirstAttempts first_attempts)
    : stages_(std::move(stages)), first_attempts_(std::move(first_attempts)) {
  Journal::Read(journal, 0, [this](const json& event) {
    const std::string type = event["type"];
    if (type == "run_started" || type == "run_resumed") run_is_open_ = true;
    if (type == "run_finished") run_is_open_ = false;
    if (!event.contains("stage")) return;
    Seen& seen = journal_[KeyOf(event["stage"], TextIn(event, "instance"), IntIn(event, "attempt", 1))];
    if (type == "stage_started") seen = {true, false};
    if (kEnds.contains(type)) seen.ended = true;
  });
}

const StageRecord* History::Last(const StageInstance& instance) const {
  const StageRecord* last = nullptr;
  for (const StageRecord& record : stages_) {
    if (record.stage != instance.stage || record.instance != instance.instance) continue;
    if (last == nullptr || record.attempt >= last->attempt) last = &record;
  }
  return last;
}

int History::OutOfMemory(const StageInstance& instance) const {
  return static_cast<int>(std::count_if(stages_.begin(), stages_.end(), [&](const StageRecord& record) {
    return record.stage == instance.stage && record.instance == instance.instance &&
           FailureKindOf(record.failure_kind) == FailureKind::kCudaOom;
  }));
}

int History::FirstAttemptOf(const StageInstance& instance) const {
  const auto found = first_attempts_.find(instance.key());
  return found == first_attempts_.end() ? 1 : found->second;
}

InstanceState History::NextAttempt(const StageInstance& instance) const {
  const StageRecord* const last = Last(instance);
  InstanceState state;
  state.attempt = state.first_attempt = std::max(FirstAttemptOf(instance), last == nullptr ? 1 : last->attempt + 1);
  state.out_of_memory = OutOfMemory(instance);
  return state;
}

History::Seen History::SeenOf(const std::string& stage, const std::string& instance, int attempt) const {
  const auto found = journal_.find(KeyOf(stage, instance, attempt));
  return found == journal_.end() ? Seen() : found->second;
}

InstanceState History::StateOf(const StageInstance& instance) const {
  const StageRecord* last = Last(instance);
  if (last == nullptr || last->attempt < FirstAttemptOf(instance)) return NextAttempt(instance);
  InstanceState state;
  state.attempt = last->attempt;
  state.first_attempt = FirstAttemptOf(instance);
  state.status = StatusOf(last->status);
  state.out_of_memory = OutOfMemory(instance);
  if (state.status == Status::kSucceeded) {
    state.outputs = OutputsOf(*last);
  } else if (state.status == Status::kFailed &&
             ShouldRetry(instance, FailureOf(*last).kind, last->attempt - state.first_attempt + 1,
                         state.out_of_memory)) {
    state.status = Status::kPending;
    ++state.attempt;
  } else if (state.status == Status::kFailed) {
    state.failure = FailureOf(*last);
  } else if (!IsEnd(state.status)) {
    state.status = Status::kPending;
    state.begun = true;
    state.operation_id = last->operation_id;
    state.started_at = last->started_at;
  }
  return state;
}

std::vector<InstanceState> History::Resume(const std::vector<StageInstance>& instances) const {
  std::vector<InstanceState> states;
  for (const StageInstance& instance : instances) {
    InstanceState& state = states.emplace_back(StateOf(instance));
    // Journal and store are written side by side, so the journal may know of a start that the store does not.
    const Seen seen = SeenOf(instance.stage, instance.instance, state.attempt);
    state.start_published = !IsEnd(state.status) && seen.started && !seen.ended;
  }
  return states;
}

std::vector<InstanceState> History::Retry(const std::vector<StageInstance>& instances, const std::string& from,
                                          const std::set<std::string>& changed) const {
  std::vector<InstanceState> states = Resume(instances);
  std::vector<bool> again(instances.size());
  std::vector<std::string> names;
  bool found = from.empty();
  for (std::size_t i = 0; i < instances.size(); ++i) {
    names.push_back(instances[i].stage);
    const StageRecord* last = Last(instances[i]);
    // What was skipped for its own condition stays skipped; what was skipped for a failure has a need to run again.
    again[i] = last == nullptr || last->attempt < FirstAttemptOf(instances[i]) ||
               (last->status != "succeeded" && last->status != "skipped") || changed.count(instances[i].key()) != 0;
    if (instances[i].stage == from) found = again[i] = true;
    for (const std::size_t need : instances[i].needs) again[i] = again[i] || again[need];
    if (again[i]) states[i] = NextAttempt(instances[i]);
  }
  if (!found) throw Error(ErrorCode::kInvalidInput, "the run has no stage '" + from + "'", Suggestion(from, names));
  return states;
}

std::vector<InstanceState> History::Anew(const std::vector<StageInstance>& instances) const {
  std::vector<InstanceState> states;
  for (const StageInstance& instance : instances) states.push_back(NextAttempt(instance));
  return states;
}

void History::PublishMissing(EventBus* bus) const {
  for (const StageRecord& record : stages_) {
    const Seen seen = SeenOf(record.stage, record.instance, record.attempt);
    if (!IsEnd(StatusOf(record.status)) || seen.ended) continue;
    const bool ran = record.status != "skipped" && !record.operation_id.empty();
    if (ran && !seen.started)
      bus->Publish(ContextOf(record), StageStarted{record.uses, record.target, FactsOf(record)});
    bus->Publish(ContextOf(record), EndOf(record));
  }
}

}  // namespace cosmos
