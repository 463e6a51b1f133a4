#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "run/cleanup/garbage_place.h"
#include "run/cleanup/garbage_script.h"
#include "run/targets/target_contact.h"
#include "store/run_store.h"

namespace cosmos {

// One thing that a run left on a machine.
struct GarbageItem {
  enum class Kind { kContainer, kProcesses, kFolder, kInputs };

  Kind kind = Kind::kFolder;
  std::string run_id;      // empty for inputs, which belong to no run
  std::string name;        // for people
  std::string target;      // whose working folder it is in, or the place's first one
  std::int64_t size = -1;  // bytes; -1: nobody asked
  bool removable = false;
  std::string reason;  // why it is or is not; after a removal that failed, why it did
  bool removed = false;

  // What tells it on the machine.
  ContainerEngine engine;
  std::string container_id;
  std::string workdir;
};

std::string_view ToString(GarbageItem::Kind kind);

// Finds what runs left on one machine, and removes what is removable: what belongs to runs of the store that have ended
// and have no engine, and inputs that nobody needs any more. For one thread.
class GarbageCollector {
 public:
  // `store` must outlive it. Contacts nothing.
  GarbageCollector(GarbagePlace place, RunStore* store);

  // Fills `items` anew, and changes nothing. Throws nothing for what is wrong with the machine.
  void Look();
  // Removes the items that are removable and still are: each run is looked at again, under its lock.
  void Remove();

  const GarbagePlace& place() const { return place_; }
  bool reachable() const { return reachable_; }
  // What could not be done, and how to mend it; empty when all could.
  const std::string& problem() const { return problem_; }
  const std::string& hint() const { return hint_; }
  const std::vector<GarbageItem>& items() const { return items_; }

 private:
  // All of these throw Error for what is wrong with the machine.
  void AddContainers();
  void AddProcesses();
  void AddFolders();
  void AddInputs();
  void RemoveOfRun(const std::string& run_id);
  void RemoveContainers(const std::string& run_id);
  void RemoveProcesses(GarbageItem* item);
  void RemoveFolder(GarbageItem* item);
  void RemoveInputs(GarbageItem* item);

  Leftovers Ask(const std::string& script);
  GarbageItem ItemOf(GarbageItem::Kind kind, const std::string& run_id, const std::string& name);
  // Whether a process that carries the run's id is the run's own, and not of one of the same name in another database.
  bool IsOfRun(const std::string& run_id, const FoundProcess& process, const Leftovers& found) const;
  std::vector<FoundProcess> ProcessesOf(const std::string& run_id, const Leftovers& found) const;
  void Complain(const Error& error);

  const GarbagePlace place_;
  const std::vector<ContainerEngine> engines_;
  const std::vector<std::string> workdirs_;
  RunStore& store_;
  std::unique_ptr<TargetContact> contact_;  // once looked
  Leftovers found_;
  bool reachable_ = false;
  std::string problem_;
  std::string hint_;
  std::vector<GarbageItem> items_;
};

}  // namespace cosmos
