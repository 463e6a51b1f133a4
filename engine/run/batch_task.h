#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "run/stage_task.h"

namespace cosmos {

// How one member of a batch ended, as far as the job can tell.
struct MemberResult {
  Failure failure;
  nlohmann::json outputs = nlohmann::json::object();  // by name, absolute local paths
};

// What several attempts that share one job ask of the engine: inputs and output folder of the job, log and progress of
// all of them. The first member leads: the job is its attempt's. Log and Progress from any thread, the rest from one.
class BatchTask final : public TaskHost {
 public:
  // The orders of the members, at least one, in their order, on the same target; nothing is done any more for one that
  // has ended before, whose `running` is empty. The pointers must outlive the task.
  // `folder` is that of the job when an earlier engine started it, else empty.
  BatchTask(const RunServices* services, std::vector<StageTask::Order> orders, const CancelToken* cancel,
            const std::string& folder);

  void Log(LogLevel level, std::string_view text) override;
  void Progress(double done, double total, std::string_view phase, std::optional<double> eta_seconds) override;
  std::string Input(const std::string& local_path) override;
  std::string OutputFolder() override;
  JobResult RunJob(const nlohmann::json&, const std::function<void(std::string_view)>&) override { Refuse(); }
  std::string Folder() override { Refuse(); }
  void AddArtifact(const std::string&) override { Refuse(); }
  std::string PutPrompt(const nlohmann::json&) override { Refuse(); }
  nlohmann::json Containers(const std::string&) override { Refuse(); }
  void KeepTimings(const nlohmann::json& key, const nlohmann::json& timings) override;
  nlohmann::json FindTimings(const nlohmann::json& key) override;

  // Runs the job of `plan` (StagePlugin::PlanBatch), or attaches to it, and gives what became of each member; one has
  // succeeded when its outputs are good, whatever became of the job. Each has its part of the log where its own would
  // stand. Once. Throws as JobRunner::Run.
  std::vector<MemberResult> RunBatch(const nlohmann::json& plan,
                                     const std::function<void(std::string_view)>& on_output);

  // As StageTask::lost.
  const std::string& lost() const { return tasks_.front()->lost(); }
  bool LeftBehind() const { return tasks_.front()->LeftBehind(); }
  std::filesystem::path LogOf(std::size_t member) const;
  const std::vector<std::shared_ptr<StageTask>>& members() const { return tasks_; }

 private:
  [[noreturn]] static void Refuse();
  bool HasEnded(std::size_t member) const { return !orders_[member].running; }
  JobRequest RequestFor(const nlohmann::json& job);
  // The change of the store that gives every member the job's record as the first one has it.
  StoreWriter::Change ShareJob() const;
  MemberResult Collect(std::size_t member, const nlohmann::json& planned, const JobRequest& request,
                       const Failure& of_job, bool has_slice);

  const RunServices& services_;
  const CancelToken& cancel_;
  std::vector<StageTask::Order> orders_;
  std::vector<std::shared_ptr<StageTask>> tasks_;
};

}  // namespace cosmos
