#include "store/row_conversion.h"

#include <algorithm>

#include "core/error.h"
#include "store/bounded_text.h"
#include "store/record_check.h"
#include "store/rows-odb.h"

namespace cosmos {
namespace store {
namespace {

template <typename Number>
odb::nullable<Number> NumberOrNull(Number number, Number none) {
  return number == none ? odb::nullable<Number>() : odb::nullable<Number>(number);
}

odb::nullable<std::int64_t> TimeOrNull(std::int64_t time) { return NumberOrNull<std::int64_t>(time, 0); }

template <typename Value>
Value Or(const odb::nullable<Value>& value, Value none) {
  return value.null() ? none : value.get();
}

std::string Text(const odb::nullable<std::string>& value) { return Or(value, std::string()); }
std::int64_t Time(const odb::nullable<std::int64_t>& value) { return Or<std::int64_t>(value, 0); }

template <typename Row>
std::string RunIdOf(const Row& row) {
  return row.run.template object_id<RunRow>();
}

}  // namespace

odb::nullable<std::string> TextOrNull(const std::string& text) {
  return text.empty() ? odb::nullable<std::string>() : odb::nullable<std::string>(text);
}

odb::nullable<std::string> LogPathOrNull(const std::string& log_path) {
  const auto characters = std::count_if(log_path.begin(), log_path.end(),
                                        [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  if (static_cast<std::size_t>(characters) > kMaxLogPathCharacters) {
    throw Error(ErrorCode::kInvalidInput,
                "the log path has " + std::to_string(characters) + " characters, expected at most " +
                    std::to_string(kMaxLogPathCharacters) + ": " + log_path,
                "choose a shorter output folder with --output-dir");
  }
  return TextOrNull(log_path);
}

odb::nullable<std::string> ErrorOrNull(const std::string& error_message) {
  return TextOrNull(CutToCharacters(error_message, kMaxErrorCharacters));
}

PromptRow ToRow(const PromptRecord& record) {
  CheckRecord(record);
  PromptRow row;
  row.prompt_id = record.prompt_id;
  row.parent_id = TextOrNull(record.parent_id);
  row.text = record.text;
  row.negative_prompt = TextOrNull(record.negative_prompt);
  row.created_at = record.created_at;
  return row;
}

RunRow ToRow(const RunRecord& record) {
  CheckRecord(record);
  RunRow row;
  row.run_id = record.run_id;
  row.workflow = record.workflow;
  row.workflow_path = record.workflow_path;
  row.output_dir = record.output_dir;
  row.prompt_id = TextOrNull(record.prompt_id);
  row.prompt_name = record.prompt_name;
  row.status = record.status;
  row.failure_kind = TextOrNull(record.failure_kind);
  row.started_at = record.started_at;
  row.ended_at = TimeOrNull(record.ended_at);
  row.log_path = LogPathOrNull(record.log_path);
  row.error_message = ErrorOrNull(record.error_message);
  row.retried_at = TimeOrNull(record.retried_at);
  return row;
}

StageRow ToRow(const StageRecord& record, odb::database& database) {
  CheckRecord(record);
  StageRow row;
  row.id = record.id;
  row.run = odb::lazy_ptr<RunRow>(database, record.run_id);
  row.stage = record.stage;
  row.instance = record.instance;
  row.attempt = record.attempt;
  row.uses = record.uses;
  row.target = record.target;
  row.status = record.status;
  row.failure_kind = TextOrNull(record.failure_kind);
  row.error_message = ErrorOrNull(record.error_message);
  row.prompt_id = TextOrNull(record.prompt_id);
  row.prompt_name = TextOrNull(record.prompt_name);
  row.operation_id = TextOrNull(record.operation_id);
  row.log_path = TextOrNull(record.log_path);
  row.outputs = TextOrNull(record.outputs);
  row.started_at = TimeOrNull(record.started_at);
  row.ended_at = TimeOrNull(record.ended_at);
  row.progress = TextOrNull(record.progress);
  return row;
}

JobRow ToRow(const JobRecord& record, odb::database& database) {
  CheckRecord(record);
  JobRow row;
  row.id = record.id;
  row.run = odb::lazy_ptr<RunRow>(database, record.run_id);
  row.stage = record.stage;
  row.instance = record.instance;
  row.attempt = record.attempt;
  row.target = record.target;
  row.folder = record.folder;
  row.pid = NumberOrNull<std::int64_t>(record.pid, 0);
  row.pid_start_time = NumberOrNull<std::int64_t>(record.pid_start_time, 0);
  row.boot_id = TextOrNull(record.boot_id);
  row.container = TextOrNull(record.container);
  row.status = record.status;
  row.exit_status = NumberOrNull(record.exit_status, -1);
  row.submitted_at = TimeOrNull(record.submitted_at);
  row.ended_at = TimeOrNull(record.ended_at);
  return row;
}

ContainerRow ToRow(const ContainerRecord& record, odb::database& database) {
  CheckRecord(record);
  ContainerRow row;
  row.id = record.id;
  row.run = odb::lazy_ptr<RunRow>(database, record.run_id);
  row.stage = record.stage;
  row.instance = record.instance;
  row.attempt = record.attempt;
  row.target = record.target;
  row.engine = record.engine;
  row.sudo = record.sudo;
  row.name = record.name;
  row.container_id = TextOrNull(record.container_id);
  row.image = record.image;
  row.status = record.status;
  row.exit_status = NumberOrNull(record.exit_status, -1);
  row.oom_killed = record.oom_killed;
  row.started_at = TimeOrNull(record.started_at);
  row.ended_at = TimeOrNull(record.ended_at);
  return row;
}

ArtifactRow ToRow(const ArtifactRecord& record, odb::database& database) {
  CheckRecord(record);
  ArtifactRow row;
  row.id = record.id;
  row.run = odb::lazy_ptr<RunRow>(database, record.run_id);
  row.stage = record.stage;
  row.instance = record.instance;
  row.attempt = record.attempt;
  row.name = TextOrNull(record.name);
  row.path = record.path;
  row.size = record.size;
  row.sha256 = TextOrNull(record.sha256);
  row.files = NumberOrNull<std::int64_t>(record.files, 0);
  return row;
}

TimingsRow ToRow(const TimingsRecord& record) {
  TimingsRow row;
  row.id = record.id;
  row.key = record.key;
  row.timings = record.timings;
  row.run_id = record.run_id;
  row.ended_at = record.ended_at;
  row.gpu_memory = NumberOrNull<std::int64_t>(record.gpu_memory, 0);
  return row;
}

GpuClaimRow ToRow(const GpuClaimRecord& record, odb::database& database) {
  CheckRecord(record);
  GpuClaimRow row;
  row.id = record.id;
  row.run = odb::lazy_ptr<RunRow>(database, record.run_id);
  row.stage = record.stage;
  row.instance = record.instance;
  row.attempt = record.attempt;
  row.target = record.target;
  row.host = record.host;
  row.gpus = record.gpus;
  row.priority = record.priority;
  row.devices = TextOrNull(record.devices);
  row.reason = TextOrNull(record.reason);
  row.asleep = record.asleep;
  row.requested_at = record.requested_at;
  row.granted_at = TimeOrNull(record.granted_at);
  return row;
}

GpuUsageRow ToRow(const GpuUsageRecord& record, odb::database& database) {
  GpuUsageRow row;
  row.id = record.id;
  row.run = odb::lazy_ptr<RunRow>(database, record.run_id);
  row.stage = record.stage;
  row.instance = record.instance;
  row.attempt = record.attempt;
  row.gpu = record.gpu;
  row.uuid = TextOrNull(record.uuid);
  row.name = TextOrNull(record.name);
  row.memory_total = NumberOrNull<std::int64_t>(record.memory_total, -1);
  row.peak_memory = NumberOrNull<std::int64_t>(record.peak_memory, -1);
  row.mean_utilization = NumberOrNull<double>(record.mean_utilization, -1);
  row.peak_utilization = NumberOrNull<double>(record.peak_utilization, -1);
  row.energy = NumberOrNull<double>(record.energy, -1);
  row.seconds = record.seconds;
  row.samples = record.samples;
  return row;
}

PromptRecord ToRecord(const PromptRow& row) {
  PromptRecord record;
  record.prompt_id = row.prompt_id;
  record.parent_id = Text(row.parent_id);
  record.text = row.text;
  record.negative_prompt = Text(row.negative_prompt);
  record.created_at = row.created_at;
  CheckRecord(record);
  return record;
}

RunRecord ToRecord(const RunRow& row) {
  RunRecord record;
  record.run_id = row.run_id;
  record.workflow = row.workflow;
  record.workflow_path = row.workflow_path;
  record.output_dir = row.output_dir;
  record.prompt_id = Text(row.prompt_id);
  record.prompt_name = row.prompt_name;
  record.status = row.status;
  record.failure_kind = Text(row.failure_kind);
  record.started_at = row.started_at;
  record.ended_at = Time(row.ended_at);
  record.log_path = Text(row.log_path);
  record.error_message = Text(row.error_message);
  record.retried_at = Time(row.retried_at);
  CheckRecord(record);
  return record;
}

StageRecord ToRecord(const StageRow& row) {
  StageRecord record;
  record.id = row.id;
  record.run_id = RunIdOf(row);
  record.stage = row.stage;
  record.instance = row.instance;
  record.attempt = row.attempt;
  record.uses = row.uses;
  record.target = row.target;
  record.status = row.status;
  record.failure_kind = Text(row.failure_kind);
  record.error_message = Text(row.error_message);
  record.prompt_id = Text(row.prompt_id);
  record.prompt_name = Text(row.prompt_name);
  record.operation_id = Text(row.operation_id);
  record.log_path = Text(row.log_path);
  record.outputs = Text(row.outputs);
  record.started_at = Time(row.started_at);
  record.ended_at = Time(row.ended_at);
  record.progress = Text(row.progress);
  CheckRecord(record);
  return record;
}

JobRecord ToRecord(const JobRow& row) {
  JobRecord record;
  record.id = row.id;
  record.run_id = RunIdOf(row);
  record.stage = row.stage;
  record.instance = row.instance;
  record.attempt = row.attempt;
  record.target = row.target;
  record.folder = row.folder;
  record.pid = Or<std::int64_t>(row.pid, 0);
  record.pid_start_time = Or<std::int64_t>(row.pid_start_time, 0);
  record.boot_id = Text(row.boot_id);
  record.container = Text(row.container);
  record.status = row.status;
  record.exit_status = Or(row.exit_status, -1);
  record.submitted_at = Time(row.submitted_at);
  record.ended_at = Time(row.ended_at);
  CheckRecord(record);
  return record;
}

ContainerRecord ToRecord(const ContainerRow& row) {
  ContainerRecord record;
  record.id = row.id;
  record.run_id = RunIdOf(row);
  record.stage = row.stage;
  record.instance = row.instance;
  record.attempt = row.attempt;
  record.target = row.target;
  record.engine = row.engine;
  record.sudo = row.sudo;
  record.name = row.name;
  record.container_id = Text(row.container_id);
  record.image = row.image;
  record.status = row.status;
  record.exit_status = Or(row.exit_status, -1);
  record.oom_killed = row.oom_killed;
  record.started_at = Time(row.started_at);
  record.ended_at = Time(row.ended_at);
  CheckRecord(record);
  return record;
}

ArtifactRecord ToRecord(const ArtifactRow& row) {
  ArtifactRecord record;
  record.id = row.id;
  record.run_id = RunIdOf(row);
  record.stage = row.stage;
  record.instance = row.instance;
  record.attempt = row.attempt;
  record.name = Text(row.name);
  record.path = row.path;
  record.size = row.size;
  record.sha256 = Text(row.sha256);
  record.files = Or<std::int64_t>(row.files, 0);
  CheckRecord(record);
  return record;
}

TimingsRecord ToRecord(const TimingsRow& row) {
  TimingsRecord record;
  record.id = row.id;
  record.key = row.key;
  record.timings = row.timings;
  record.run_id = row.run_id;
  record.ended_at = row.ended_at;
  record.gpu_memory = Or<std::int64_t>(row.gpu_memory, 0);
  return record;
}

GpuClaimRecord ToRecord(const GpuClaimRow& row) {
  GpuClaimRecord record;
  record.id = row.id;
  record.run_id = RunIdOf(row);
  record.stage = row.stage;
  record.instance = row.instance;
  record.attempt = row.attempt;
  record.target = row.target;
  record.host = row.host;
  record.gpus = row.gpus;
  record.priority = row.priority;
  record.devices = Text(row.devices);
  record.reason = Text(row.reason);
  record.asleep = row.asleep;
  record.requested_at = row.requested_at;
  record.granted_at = Time(row.granted_at);
  CheckRecord(record);
  return record;
}

GpuUsageRecord ToRecord(const GpuUsageRow& row) {
  GpuUsageRecord record;
  record.id = row.id;
  record.run_id = RunIdOf(row);
  record.stage = row.stage;
  record.instance = row.instance;
  record.attempt = row.attempt;
  record.gpu = row.gpu;
  record.uuid = Text(row.uuid);
  record.name = Text(row.name);
  record.memory_total = Or<std::int64_t>(row.memory_total, -1);
  record.peak_memory = Or<std::int64_t>(row.peak_memory, -1);
  record.mean_utilization = Or<double>(row.mean_utilization, -1);
  record.peak_utilization = Or<double>(row.peak_utilization, -1);
  record.energy = Or<double>(row.energy, -1);
  record.seconds = row.seconds;
  record.samples = row.samples;
  return record;
}

}  // namespace store
}  // namespace cosmos
