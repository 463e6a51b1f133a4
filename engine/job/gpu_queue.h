#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "store/records.h"

namespace cosmos {

// One GPU that a stage has for itself, or could have.
struct LeasedGpu {
  int index = 0;     // on its target
  std::string uuid;  // empty where there is no nvidia-smi that tells it
  std::string name;

  bool operator==(const LeasedGpu&) const = default;
};

// Between them and GpuClaimRecord::devices, [{"index", "uuid", "name"}…]; a text of another shape is none.
nlohmann::json ToJson(const std::vector<LeasedGpu>& gpus);
std::vector<LeasedGpu> LeasedGpusOf(const GpuClaimRecord& claim);

// A GPU of the host that works, and which program of nobody's here uses it.
struct GpuCandidate {
  LeasedGpu gpu;
  std::string used_by;   // for people, such as "1.1 GB in use by python (pid 4242)"; empty: none
  std::string user_key;  // the same for as long as the same programs use it
};

// What becomes of a request now.
struct GpuDecision {
  std::vector<LeasedGpu> gpus;  // it gets these; none: it waits
  std::string reason;           // why, for people
  bool somebody_else = false;   // it would get some, but for programs of nobody's here
  std::string subject;          // the same for as long as it waits for the same, whatever numbers the reason has
};

// `waits for 2 GPUs of 'gpu1': WHY`.
std::string WaitReason(const GpuClaimRecord& mine, const std::string& why);

// First come, first served, higher priorities before: a request gets its GPUs when none waits before it on the same
// host, so that one for many GPUs is not passed over for ever. `claims` are all there are, without `mine`, in the order
// of the queue (RunStore::GpuClaims); `mine.id` 0: it comes last among its priority. With `ignore_others`, programs of
// nobody's here do not count. Pure; any thread.
GpuDecision DecideGpus(const GpuClaimRecord& mine, const std::vector<GpuClaimRecord>& claims,
                       const std::vector<GpuCandidate>& candidates, bool ignore_others);

}  // namespace cosmos
