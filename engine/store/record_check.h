#pragma once

#include "store/records.h"

// Whoever may write the database's file can put anything into it, and what stands in it reaches paths, shells and
// container engines. So records are checked whenever they are read or written (within C++14, see run_store.h). Throw
// Error{kUnavailable} that names what is wrong. Any thread.
namespace cosmos {
namespace store {

void CheckRecord(const PromptRecord& record);
void CheckRecord(const RunRecord& record);
void CheckRecord(const StageRecord& record);
void CheckRecord(const JobRecord& record);
void CheckRecord(const ContainerRecord& record);
void CheckRecord(const ArtifactRecord& record);
void CheckRecord(const GpuClaimRecord& record);

}  // namespace store
}  // namespace cosmos
