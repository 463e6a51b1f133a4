#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "event/bus.h"
#include "run/run_state.h"
#include "store/records.h"

namespace cosmos {

// What earlier engines have done of a run, from its records and its journal.
class History {
 public:
  // From which attempt on an instance's results count, by its key; those that are not named: from the first.
  using FirstAttempts = std::map<std::string, int>;

  // `stages` are the run's records in their order. Throws Error{kIo} when the journal cannot be read.
  History(std::vector<StageRecord> stages, const std::filesystem::path& journal, FirstAttempts first_attempts = {});

  // Where each instance stands, to go on from: what ended well or was skipped stays so, an attempt that was begun is
  // gone on with, a failure is tried again when `retry:` says so.
  std::vector<InstanceState> Resume(const std::vector<StageInstance>& instances) const;
  // The same for `retry`: what did not succeed gets a new attempt, and so do `from` (a stage; empty: none) and the
  // instances whose keys are in `changed`, with all that needs them. Throws Error{kInvalidInput} when there is no such
  // stage.
  std::vector<InstanceState> Retry(const std::vector<StageInstance>& instances, const std::string& from,
                                   const std::set<std::string>& changed = {}) const;

  // The same for handlers, which belong to each end of the run: all get a new attempt.
  std::vector<InstanceState> Anew(const std::vector<StageInstance>& instances) const;

  // Publishes the ends (and, where even that is missing, the starts) of attempts that the store knows as ended but
  // whose events a crash swallowed.
  void PublishMissing(EventBus* bus) const;
  // Whether the journal has a RunStarted without a RunFinished behind it.
  bool run_is_open() const { return run_is_open_; }

 private:
  struct Seen {
    bool started = false;
    bool ended = false;
  };

  const StageRecord* Last(const StageInstance& instance) const;
  // Its attempts that ran out of GPU memory; `retry` goes on with what they led to.
  int OutOfMemory(const StageInstance& instance) const;
  int FirstAttemptOf(const StageInstance& instance) const;
  InstanceState NextAttempt(const StageInstance& instance) const;
  InstanceState StateOf(const StageInstance& instance) const;
  Seen SeenOf(const std::string& stage, const std::string& instance, int attempt) const;

  const std::vector<StageRecord> stages_;
  const FirstAttempts first_attempts_;
  std::map<std::string, Seen> journal_;  // by stage, instance and attempt
  bool run_is_open_ = false;
};

}  // namespace cosmos
