#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/run_context.h"
#include "store/records.h"

// Between the records of stage attempts and the contexts that say which attempt it is. Pure functions; any thread.
namespace cosmos {

// Makes the record one of the attempt.
template <typename Record>
void SetAttempt(const RunContext& attempt, Record* record) {
  record->run_id = attempt.run_id;
  record->stage = attempt.stage;
  record->instance = attempt.instance;
  record->attempt = attempt.attempt;
}

// Whose record it is; the context has nothing else.
template <typename Record>
RunContext AttemptOf(const Record& record) {
  RunContext attempt;
  attempt.run_id = record.run_id;
  attempt.stage = record.stage;
  attempt.instance = record.instance;
  attempt.attempt = record.attempt;
  return attempt;
}

// `STAGE` or `STAGE.INSTANCE`, as RunContext::key.
template <typename Record>
std::string StageKey(const Record& record) {
  return AttemptOf(record).key();
}

// The first of the records, all of one run, that is of the attempt; null when there is none.
template <typename Record, typename Attempt>
const Record* FindAttempt(const std::vector<Record>& records, const Attempt& attempt) {
  const auto found = std::find_if(records.begin(), records.end(),
                                  [&](const Record& record) { return AreOfOneAttempt(record, attempt); });
  return found == records.end() ? nullptr : &*found;
}

}  // namespace cosmos
