#pragma once

#include <string>
#include <vector>

#include "job/gpu_queue.h"
#include "target/gpu/gpu_cache.h"

namespace cosmos {

// What a host's answer is worth for a request for GPUs.
struct GpuInventory {
  enum class Kind {
    kKnown,       // `candidates` are the GPUs that the request may have
    kSilent,      // nobody says which GPUs there are: ask again
    kTooFewWork,  // GPUs are out of order, and the others are too few
    kTooFew,      // the host has too few, and always will
  };
  Kind kind = Kind::kKnown;
  std::vector<GpuCandidate> candidates;
  std::string reason;  // unless they are known, for people
};

// Only GPUs that the driver lists and that work are candidates: of the first `most` of the host, unless it is 0.
// Where there is no nvidia-smi for certain, they are counted by `most`, or else by `wanted`. A reading that is older
// than `longest_age` counts as no answer. Pure; any thread.
GpuInventory InventoryOf(const GpuState& state, const std::string& target, int wanted, int most, Duration longest_age);

// GPUs by their numbers alone.
GpuInventory CountedInventory(int wanted, int most);

// The GPUs of a reading that work, with who uses them by its own word: processes that compute there, or, where those
// cannot be seen (from within a container, say), 1 GiB of memory and more. Of the first `most` of the host, unless it
// is 0.
std::vector<GpuCandidate> CandidatesOf(const GpuReading& reading, int most);

}  // namespace cosmos
