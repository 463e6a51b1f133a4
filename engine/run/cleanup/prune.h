#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "run/cleanup/run_files.h"
#include "store/run_store.h"

namespace cosmos {

// Which runs are to be forgotten, and how much of them. A run stays when any of them keeps it.
struct PruneRules {
  std::optional<int> keep_days;  // those that ended less than so many days ago stay
  std::optional<int> keep_last;  // of the runs that are looked at, so many of the newest stay
  bool failed = false;           // looks only at runs that failed or were cancelled
  bool outputs = false;          // what they made goes too
};

// One run that is to go, or that stays although the rules would let it go.
struct PruneItem {
  RunRecord run;
  bool removable = false;
  std::string reason;           // why it is or is not; after a removal that failed, why it did
  RunFiles files;               // of one that is removable
  std::set<std::string> hosts;  // targets on other machines that it had stages on
  bool removed = false;
};

// Forgets runs: their records, their logs, their own folders and, if that is asked for, what they made. Only runs that
// have ended and have no engine, nor are needed by one that has not ended. For one thread.
class Pruner {
 public:
  // `store` must outlive it.
  Pruner(const PruneRules& rules, RunStore* store, WallTime now) : rules_(rules), store_(*store), now_(now) {}

  // Fills `items` anew, the newest run first, and changes nothing.
  void Look();
  // Removes those that are removable and still are: each run is looked at again, under its lock. The record goes last,
  // so that what a crash leaves is found by the next one. Throws only when the store cannot be written to.
  void Remove();

  const std::vector<PruneItem>& items() const { return items_; }
  // How many of the runs that were looked at stay because of keep_days and keep_last.
  int kept_by_rules() const { return kept_by_rules_; }

 private:
  bool KeptByRules(const RunRecord& run);
  // A run that stays and was started from what a run of these names made, or ""; of `any`, or only of those that have
  // not ended.
  std::string UserOf(const std::set<std::string>& names, bool any) const;
  void NoteInputs(const RunRecord& run, bool ended);
  void RemoveRun(PruneItem* item);

  const PruneRules rules_;
  RunStore& store_;
  const WallTime now_;
  std::vector<PruneItem> items_;
  int looked_at_ = 0;
  int kept_by_rules_ = 0;
  // Engines, which may be about to write into a folder that is empty now, or to refer to a prompt that nobody has yet.
  bool others_at_work_ = false;
  // By a name in a path that a run which stays was started with: that run, and whether it has ended.
  std::map<std::string, std::pair<std::string, bool>> users_;
};

}  // namespace cosmos
