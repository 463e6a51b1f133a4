#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/records.h"
#include "store/totals.h"

namespace cosmos {

// What `runs` asks for. Empty fields do not restrict. `search` looks in workflow, run_id, prompt text and error
// message.
struct RunQuery {
  std::string status;
  std::string workflow;
  std::string search;
  int limit = 20;  // newest first; 0: all
};

struct SchemaVersions {
  std::uint64_t current = 0;  // of the database; 0: it has no schema yet
  std::uint64_t latest = 0;   // what this program writes
};

// The history of runs in an SQLite database (WAL, synchronous NORMAL, foreign keys on, busy timeout 10 s). The only
// door to SQL. Thread-safe: calls are served one after another; several processes may use one database. Within C++14,
// as ODB 2.4 is; so this header uses neither std::optional nor std::string_view. Every function throws cosmos::Error:
// kUnavailable when the database cannot be opened, read or written (with path and reason) or is no longer the file at
// its path, kNotFound when a record that must exist does not.
class RunStore {
 public:
  // Opens the database at `path`, creating file, folder and schema when there is none. Throws kConflict when the schema
  // is older ("run `cosmos-engine db upgrade`") or newer than this program ("found version 9, this program knows 3").
  static std::unique_ptr<RunStore> Open(const std::string& path);
  ~RunStore();

  // The versions of the database at `path`, which must exist. Changes nothing.
  static SchemaVersions Versions(const std::string& path);
  // Brings the schema to the latest version in one transaction, after a backup copy `PATH.v<current>.<UTC time>.bak`.
  // Returns the backup's path; empty when nothing was to do. On failure the database is as it was.
  static std::string Upgrade(const std::string& path);
  // A consistent copy of a database in use (SQLite's online backup). Throws kConflict when `to` exists.
  static void Backup(const std::string& path, const std::string& to);

  // What is wrong with the database at `path` (SQLite's own check, and references to records that are not there); empty
  // when nothing is. Throws kNotFound when there is no such file.
  static std::vector<std::string> FindDamage(const std::string& path);

  // Throws kUnavailable unless the run and its stages can be read back from disk as this store has them, through a new
  // connection: the file may have been removed, replaced or damaged since it was opened, which its own cache hides.
  void ConfirmSaved(const std::string& run_id);

  // Runs `work` in one transaction that the calls it makes on this store take part in; rolled back when it throws.
  // Another thread's calls wait meanwhile. Not to be nested.
  void InTransaction(const std::function<void()>& work);

  // Put: inserts the record, or updates the one with the same key. For records with an `id`, sets it on insertion.
  void PutRun(const RunRecord& run);
  void PutStage(StageRecord* stage);
  void PutJob(JobRecord* job);
  void PutContainer(ContainerRecord* container);
  // Replaces the artifact of the same run, stage, instance, attempt and path.
  void PutArtifact(ArtifactRecord* artifact);
  // Keeps the request and its place in the queue when there is one already.
  void PutGpuClaim(GpuClaimRecord* claim);
  void PutGpuUsage(GpuUsageRecord* usage);
  // Keeps the first text and time; a parent is added when there was none.
  void PutPrompt(const PromptRecord& prompt);

  // Keeps what was measured of a job, and of its key only the newest kMostTimings.
  void KeepTimings(TimingsRecord* timings);
  static constexpr int kMostTimings = 20;

  // Nothing when they are gone already.
  void DropGpuClaim(std::uint64_t id);
  void DropGpuClaimsOf(const std::string& run_id);

  // Sets how far an attempt is, a JSON object; nothing when the attempt has no record.
  void SetStageProgress(const StageRecord& attempt);

  // The two operations of log tracking.
  void SetRunLogPath(const std::string& run_id, const std::string& log_path);
  // Status failed, with `error_message` cut to 1000 characters at a UTF-8 boundary.
  void SetRunError(const std::string& run_id, const std::string& failure_kind, const std::string& error_message);

  // Forgets the run with all that belongs to it; nothing when it is gone already. What was measured of its jobs stays,
  // and it goes on to count (ForgottenTotals).
  void DeleteRun(const std::string& run_id);
  // Forgets the prompts that neither runs nor stages have, nor any prompt that was made from them or that they were
  // made from. Returns how many.
  int DeleteUnusedPrompts();

  RunRecord GetRun(const std::string& run_id);
  bool HasRun(const std::string& run_id);
  std::vector<RunRecord> FindRuns(const RunQuery& query);
  // Ids of runs that start with `prefix` (at most 10), newest first.
  std::vector<std::string> RunIdsWithPrefix(const std::string& prefix);
  // In the order in which they were first kept.
  std::vector<StageRecord> StagesOf(const std::string& run_id);
  std::vector<JobRecord> JobsOf(const std::string& run_id);
  std::vector<ContainerRecord> ContainersOf(const std::string& run_id);
  std::vector<ArtifactRecord> ArtifactsOf(const std::string& run_id);
  std::vector<GpuUsageRecord> GpuUsagesOf(const std::string& run_id);
  // Over all runs, and over all attempts of their stages, each once.
  std::vector<TotalsRecord> RunTotals();
  std::vector<TotalsRecord> AttemptTotals();
  // Over all runs that were forgotten (without `uses`), and the attempts of their stages.
  std::vector<TotalsRecord> ForgottenTotals();
  // Of all runs, those that come first in the queue first.
  std::vector<GpuClaimRecord> GpuClaims();
  // Those of the key, newest first.
  std::vector<TimingsRecord> TimingsOf(const std::string& key, int limit);
  // Throws kNotFound.
  PromptRecord GetPrompt(const std::string& prompt_id);

 private:
  class Impl;
  explicit RunStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cosmos
