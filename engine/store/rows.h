#pragma once

#include <cstdint>
#include <odb/core.hxx>
#include <odb/lazy-ptr.hxx>
#include <odb/nullable.hxx>
#include <string>

// The records of records.h as ODB maps them to tables. Private to this folder; run through the `odb` compiler, which
// understands C++11 at most. A change here changes the schema: see CMakeLists.txt for how a new version is made.
// Columns are nullable where "nothing yet" is a fact of its own.
#pragma db model version(1, 8)

namespace cosmos {
namespace store {

#pragma db value(std::string) type("TEXT")

#pragma db object table("prompts")
struct PromptRow {
#pragma db id
  std::string prompt_id;
  odb::nullable<std::string> parent_id;
  std::string text;
  odb::nullable<std::string> negative_prompt;
  std::int64_t created_at = 0;
};

#pragma db object table("runs")
struct RunRow {
#pragma db id
  std::string run_id;
  std::string workflow;
  std::string workflow_path;
  std::string output_dir;
  odb::nullable<std::string> prompt_id;  // no foreign key: a run may be kept before its prompt is
  std::string prompt_name;
#pragma db index
  std::string status;
  odb::nullable<std::string> failure_kind;
#pragma db index
  std::int64_t started_at = 0;
  odb::nullable<std::int64_t> ended_at;
#pragma db added(2) type("VARCHAR(500)")
  odb::nullable<std::string> log_path;
#pragma db added(2)
  odb::nullable<std::string> error_message;
#pragma db added(7)
  odb::nullable<std::int64_t> retried_at;
};

#pragma db object table("stage_executions")
struct StageRow {
#pragma db id auto
  std::uint64_t id = 0;
#pragma db not_null column("run_id") on_delete(cascade)
  odb::lazy_ptr<RunRow> run;
  std::string stage;
  std::string instance;
  int attempt = 1;
  std::string uses;
  std::string target;
  std::string status;
  odb::nullable<std::string> failure_kind;
  odb::nullable<std::string> error_message;
  odb::nullable<std::string> prompt_id;
  odb::nullable<std::string> prompt_name;
  odb::nullable<std::string> operation_id;
  odb::nullable<std::string> log_path;
  odb::nullable<std::string> outputs;
  odb::nullable<std::int64_t> started_at;
  odb::nullable<std::int64_t> ended_at;
#pragma db added(4)
  odb::nullable<std::string> progress;
#pragma db index("stage_executions_key") unique members(run, stage, instance, attempt)
};

#pragma db object table("jobs")
struct JobRow {
#pragma db id auto
  std::uint64_t id = 0;
#pragma db not_null column("run_id") on_delete(cascade)
  odb::lazy_ptr<RunRow> run;
  std::string stage;
  std::string instance;
  int attempt = 1;
  std::string target;
  std::string folder;
  odb::nullable<std::int64_t> pid;
  odb::nullable<std::int64_t> pid_start_time;
  odb::nullable<std::string> boot_id;
  odb::nullable<std::string> container;
  std::string status;
  odb::nullable<int> exit_status;
  odb::nullable<std::int64_t> submitted_at;
  odb::nullable<std::int64_t> ended_at;
#pragma db index("jobs_key") unique members(run, stage, instance, attempt)
};

#pragma db object table("containers")
struct ContainerRow {
#pragma db id auto
  std::uint64_t id = 0;
#pragma db not_null column("run_id") on_delete(cascade)
  odb::lazy_ptr<RunRow> run;
  std::string stage;
  std::string instance;
  int attempt = 1;
  std::string target;
  std::string engine;
  bool sudo = false;
  std::string name;
  odb::nullable<std::string> container_id;
  std::string image;
  std::string status;
  odb::nullable<int> exit_status;
  bool oom_killed = false;
  odb::nullable<std::int64_t> started_at;
  odb::nullable<std::int64_t> ended_at;
#pragma db index("containers_key") unique members(run, stage, instance, attempt)
};

#pragma db object table("artifacts")
struct ArtifactRow {
#pragma db id auto
  std::uint64_t id = 0;
#pragma db not_null column("run_id") on_delete(cascade)
  odb::lazy_ptr<RunRow> run;
  std::string stage;
  std::string instance;
  int attempt = 1;
  odb::nullable<std::string> name;
  std::string path;
  std::int64_t size = 0;
  odb::nullable<std::string> sha256;
#pragma db added(8)
  odb::nullable<std::int64_t> files;
#pragma db index("artifacts_key") unique members(run, stage, instance, attempt, path)
};

#pragma db object table("timings")
struct TimingsRow {
#pragma db id auto
  std::uint64_t id = 0;
#pragma db index
  std::string key;
  std::string timings;
  std::string run_id;  // no foreign key: what was measured outlives the run's record
  std::int64_t ended_at = 0;
#pragma db added(5)
  odb::nullable<std::int64_t> gpu_memory;
};

#pragma db object table("gpu_claims")
struct GpuClaimRow {
#pragma db id auto
  std::uint64_t id = 0;
#pragma db not_null column("run_id") on_delete(cascade)
  odb::lazy_ptr<RunRow> run;
  std::string stage;
  std::string instance;
  int attempt = 1;
  std::string target;
#pragma db index
  std::string host;
  int gpus = 1;
  int priority = 0;
  odb::nullable<std::string> devices;
  odb::nullable<std::string> reason;
  bool asleep = false;
  std::int64_t requested_at = 0;
  odb::nullable<std::int64_t> granted_at;
#pragma db index("gpu_claims_key") unique members(run, stage, instance, attempt)
};

#pragma db object table("gpu_usages")
struct GpuUsageRow {
#pragma db id auto
  std::uint64_t id = 0;
#pragma db not_null column("run_id") on_delete(cascade)
  odb::lazy_ptr<RunRow> run;
  std::string stage;
  std::string instance;
  int attempt = 1;
  int gpu = 0;
  odb::nullable<std::string> uuid;
  odb::nullable<std::string> name;
  odb::nullable<std::int64_t> memory_total;
  odb::nullable<std::int64_t> peak_memory;
  odb::nullable<double> mean_utilization;
  odb::nullable<double> peak_utilization;
  odb::nullable<double> energy;
  double seconds = 0;
  std::int64_t samples = 0;
#pragma db index("gpu_usages_key") unique members(run, stage, instance, attempt, gpu)
};

// How many runs and attempts that were alike are forgotten, so that totals never fall; of runs, `uses` is empty.
#pragma db object table("forgotten_totals")
struct ForgottenTotalsRow {
#pragma db id auto
  std::uint64_t id = 0;
  std::string uses;
  std::string status;
  std::string failure_kind;
  int bound = -1;
  std::int64_t count = 0;
  std::int64_t milliseconds = 0;
#pragma db index("forgotten_totals_key") unique members(uses, status, failure_kind, bound)
};

}  // namespace store
}  // namespace cosmos
