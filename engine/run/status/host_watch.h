#pragma once

#include <array>
#include <condition_variable>
#include <filesystem>
#include <functional>
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
  bool asked = false;      // since the watch began; otherwise this is what others asked before
  bool reachable = false;  // some of the latest questions was answered
  std::string problem;     // what was not, or what the host could not tell
  GpuState gpus;
  Leftovers found;                          // containers and processes of runs
  std::optional<Duration> found_age;        // of the older of the two
  std::optional<std::int64_t> complete_at;  // when it was begun to list all that runs had there, by our clock, in
                                            // milliseconds since the epoch; none: the list may lack something
};

// Asks one host about its GPUs, its containers and its processes, each on a thread of its own, so that a host, a driver
// or a container engine that does not answer holds nobody else up. What other processes of the user asked a moment ago
// is taken over. Thread-safe.
class HostWatch {
 public:
  // Contacts nothing before Ask. See SharedCache about the folder.
  HostWatch(GarbagePlace place, const std::filesystem::path& cache_folder);
  // Waits until it is done with asking, which takes long while a host does not answer.
  ~HostWatch();
  HostWatch(const HostWatch&) = delete;
  HostWatch& operator=(const HostWatch&) = delete;

  const GarbagePlace& place() const { return place_; }
  // Begins to ask what is not asked just now.
  void Ask();
  // Returns once it is done with asking, or at `until`; whether it is done.
  bool Await(SteadyTime until);
  // The latest of each, or while there is none what others found.
  HostState state();

 private:
  enum Question { kGpus, kContainers, kProcesses, kQuestions };
  struct Part {
    bool wanted = false;
    bool answered = false;  // since the watch began, be it by a failure
    GpuState gpus;
    SharedCache::Entry text;
    std::thread thread;
  };

  void Work(Question question);
  // With the cache's answers at hand the host is not contacted at all.
  void Answer(Question question, Part* into);
  std::string KeyOf(Question question) const;
  std::string ScriptOf(Question question) const;
  std::string AskNow(Question question);
  // A target that can be used, for as long as the pointer lives. Throws what TargetContact::Reach throws.
  std::shared_ptr<TargetContact> Contact();

  const GarbagePlace place_;
  const std::vector<ContainerEngine> engines_;
  const std::string key_;
  const GpuCache gpus_;
  const SharedCache cache_;
  std::mutex contact_mutex_;  // guards the next
  std::shared_ptr<TargetContact> contact_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  std::array<Part, kQuestions> parts_;
};

}  // namespace cosmos
