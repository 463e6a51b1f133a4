#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "target/target.h"

// What the local target reads in a job's folder. Functions without state; any thread.
namespace cosmos {

constexpr std::size_t kMaxFact = 4096;  // bytes of a file with a single line

// Whether the folder is another run's: by its owner, or, where it has none, by its script. Throws Error{kIo}.
bool IsForeign(const JobOrder& order);
// How the job ended, once it has said so; see ParseExitStatus.
std::optional<JobState> ReadEnd(const std::string& folder);
// What can be said of a file before it is moved; kDone: it can be.
Downloaded PresenceOf(const FileTransfer& file);

}  // namespace cosmos
