#pragma once

#include "store/records.h"
#include "store/rows.h"

// Between the plain records and the rows that ODB maps. Empty texts and zero times become NULL where the column allows
// it. Error messages are cut to kMaxErrorCharacters. Pure functions; any thread.
namespace cosmos {
namespace store {

constexpr std::size_t kMaxErrorCharacters = 1000;

odb::nullable<std::string> TextOrNull(const std::string& text);
// Throws Error{kInvalidInput} when the path is longer than its column.
odb::nullable<std::string> LogPathOrNull(const std::string& log_path);
odb::nullable<std::string> ErrorOrNull(const std::string& error_message);

PromptRow ToRow(const PromptRecord& record);
RunRow ToRow(const RunRecord& record);
// The rows of stages, jobs, containers, artifacts and GPUs refer to their run in `database`.
StageRow ToRow(const StageRecord& record, odb::database& database);
JobRow ToRow(const JobRecord& record, odb::database& database);
ContainerRow ToRow(const ContainerRecord& record, odb::database& database);
ArtifactRow ToRow(const ArtifactRecord& record, odb::database& database);
TimingsRow ToRow(const TimingsRecord& record);
GpuClaimRow ToRow(const GpuClaimRecord& record, odb::database& database);
GpuUsageRow ToRow(const GpuUsageRecord& record, odb::database& database);

PromptRecord ToRecord(const PromptRow& row);
RunRecord ToRecord(const RunRow& row);
StageRecord ToRecord(const StageRow& row);
JobRecord ToRecord(const JobRow& row);
ContainerRecord ToRecord(const ContainerRow& row);
ArtifactRecord ToRecord(const ArtifactRow& row);
TimingsRecord ToRecord(const TimingsRow& row);
GpuClaimRecord ToRecord(const GpuClaimRow& row);
GpuUsageRecord ToRecord(const GpuUsageRow& row);

}  // namespace store
}  // namespace cosmos
