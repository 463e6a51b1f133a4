#pragma once

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/shared_cache.h"
#include "run/cleanup/garbage_place.h"
#include "run/cleanup/garbage_script.h"
#include "run/targets/target_contact.h"
#include "target/gpu/gpu_cache.h"

namespace cosmos {

// What is known of a host that jobs run on.
struct HostState {
  bool asked = false;      // since the watch began; else this is what others asked before
  bool reachable = false;  // the latest try was answered
  std::string problem;     // why it was not, or what the host could not tell
  GpuState gpus;
  Leftovers found;  // containers and processes of runs
  std::optional<Duration> found_age;
};

// Asks one host about its GPUs and about what runs have there, on a thread of its own, so that a host that cannot be
// reached holds nobody up. What other processes of the user asked a moment ago is taken over. Thread-safe.
class HostWatch {
 public:
  // Contacts nothing before Ask. See SharedCache about the folder.
  HostWatch(GarbagePlace place, const std::filesystem::path& cache_folder);
  // Waits until it is done with asking, which takes long while a host does not answer.
  ~HostWatch();
  HostWatch(const HostWatch&) = delete;
  HostWatch& operator=(const HostWatch&) = delete;

  const GarbagePlace& place() const { return place_; }
  // Begins to ask, unless it is at it.
  void Ask();
  // Returns once it is done with asking, or at `until`; whether it is done.
  bool Await(SteadyTime until);
  // The latest, or while there is none what others found.
  HostState state();

 private:
  void Work();
  HostState Look();
  HostState StateOf(const GpuState& gpus, const SharedCache::Entry& found) const;
  Target* Contact();

  const GarbagePlace place_;
  const std::vector<ContainerEngine> engines_;
  const std::string host_;
  const GpuCache gpus_;
  const SharedCache cache_;
  std::unique_ptr<TargetContact> contact_;  // of the thread alone
  std::mutex mutex_;                        // guards what follows
  std::condition_variable changed_;
  bool wanted_ = false;
  bool stopping_ = false;
  std::optional<HostState> state_;
  std::thread thread_;
};

}  // namespace cosmos
