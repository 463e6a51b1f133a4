#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/error.h"
#include "core/run_context.h"
#include "plugin/task_host.h"
#include "run/run_services.h"
#include "workflow/plan.h"

namespace cosmos {

// What one attempt's plugin asks of the engine, done for real (plugin/task_host.h). Log and Progress may come from any
// thread, the rest from the thread that runs the stage.
class StageTask final : public TaskHost {
 public:
  struct Order {
    RunContext context;
    const StageInstance* instance = nullptr;
    const PluginFacts* plugin = nullptr;
    std::map<std::string, std::string> env;  // of the stage, resolved
    int gpus = 0;                            // that the attempt may use
    std::vector<LeasedGpu> leased;           // which they are
    bool resumed = false;                    // an earlier engine began the attempt
    std::optional<Duration> timeout;
    SteadyTime begun{};  // when the attempt began in this engine
    std::int64_t max_log_bytes = 0;
    StoreWriter::Change running;  // records that the stage is running, with the job's handle
    std::string job_folder = "";  // of a job that attempts share; empty: the attempt's own
  };

  // The pointers must outlive the task.
  StageTask(const RunServices* services, Order order, const CancelToken* cancel);

  void Log(LogLevel level, std::string_view text) override;
  void Progress(double done, double total, std::string_view phase, std::optional<double> eta_seconds) override;
  std::string Input(const std::string& local_path) override;
  std::string OutputFolder() override;
  JobResult RunJob(const nlohmann::json& spec, const std::function<void(std::string_view)>& on_output) override;
  nlohmann::json Containers(const std::string& run_id) override;
  void KeepTimings(const nlohmann::json& key, const nlohmann::json& timings) override;
  nlohmann::json FindTimings(const nlohmann::json& key) override;
  Inspection& Inspect() override { return inspection_; }
  std::string Folder() override;
  void AddArtifact(const std::string& path) override;
  std::string PutPrompt(const nlohmann::json& prompt) override;

  // Writes the plugin's own lines to the stage's log when no job has one. Returns the log's path, empty when there is
  // none.
  std::string FinishLog();
  // Why the attempt has not ended although the plugin has returned: its target cannot be reached any more, or the
  // engine cannot go on with its job. Empty otherwise.
  const std::string& lost() const { return lost_; }
  // While it does, the time of the attempt is the job's.
  bool JobRuns() const { return job_runs_; }
  // The job failed, or something of it may still run, so that it must not be repeated.
  bool JobFailed() const { return job_failed_; }
  bool LeftBehind() const { return left_behind_; }

  // The latest progress as the store keeps it, a JSON object; empty: none was reported.
  std::string progress() const;
  // Keeps it in the store when it is another one than before and some time has passed; to be called now and then, from
  // one thread. Does not wait.
  void KeepProgress(SteadyTime now);

  // The parts of RunJob, for attempts that share a job.
  // Does what asks the target, and notes when it cannot be reached or the engine cannot go on with the job.
  template <typename Work>
  auto OnTarget(Work work) -> decltype(work()) {
    try {
      return work();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kConnectionLost || error.code() == ErrorCode::kUnfinished) Lose(error.what());
      throw;
    }
  }
  // Does what keeps the results of a job that has ended: when it fails, they are still where the job left them.
  template <typename Work>
  auto KeepResults(Work work) -> decltype(work()) {
    try {
      return work();
    } catch (const std::exception& error) {
      Lose(error.what());
      throw;
    }
  }
  // Carries out the job, once its request is complete.
  JobOutcome Carry(const JobRequest& request, const std::function<void(std::string_view)>& on_output);
  JobRequest RequestFor(const nlohmann::json& spec);
  static std::vector<JobOutput> OutputsOf(const nlohmann::json& outputs);
  // Keep as artifacts of the attempt.
  void KeepFile(const JobFile& file);
  void Keep(const CollectedOutput& output);

 private:
  void Lose(const std::string& reason) { lost_ = reason; }
  std::string JobFolder();
  // What the plugin's key is in the store: with what only the engine knows.
  const std::string& HistoryKey(const nlohmann::json& key);

  const RunServices& services_;
  const Order order_;
  const CancelToken& cancel_;
  Target& target_;
  RunInspection inspection_;
  std::vector<FileTransfer> inputs_;                    // for a target that is another machine
  std::map<nlohmann::json, std::string> history_keys_;  // by the plugin's, as videos are looked at for them
  bool job_ran_ = false;
  std::atomic<bool> job_runs_ = false;
  std::atomic<bool> job_failed_ = false;
  bool left_behind_ = false;
  std::string lost_;
  mutable std::mutex mutex_;     // guards what follows
  std::string lines_;            // the plugin's own
  SteadyTime progress_begin_{};  // of the phase
  std::string phase_;
  SteadyTime last_progress_{};
  std::string progress_;
  std::string kept_;  // of it, in the store
  SteadyTime last_kept_{};
};

// Keeps a prompt, masked, in the store and gives its id, which depends on text and negative prompt alone.
std::string KeepPrompt(StoreWriter* store, Clock* clock, const Masker& masker, const nlohmann::json& prompt);

}  // namespace cosmos
