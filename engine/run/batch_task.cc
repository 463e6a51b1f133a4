#include "run/batch_task.h"

#include <utility>

#include "core/error.h"
#include "core/failure_patterns.h"
#include "core/files.h"
#include "job/log_slices.h"
#include "job/transfer_watch.h"

namespace cosmos {
namespace fs = std::filesystem;
using nlohmann::json;

BatchTask::BatchTask(const RunServices* services, std::vector<StageTask::Order> orders, const CancelToken* cancel,
                     const std::string& folder)
    : services_(*services), cancel_(*cancel), orders_(std::move(orders)) {
  orders_.front().job_folder = folder;
  for (const StageTask::Order& order : orders_) tasks_.push_back(std::make_shared<StageTask>(services, order, cancel));
}

void BatchTask::Refuse() {
  throw Error(ErrorCode::kPlugin, "the members of a batch have nothing of their own to ask for");
}

void BatchTask::Log(LogLevel level, std::string_view text) { tasks_.front()->Log(level, text); }

void BatchTask::Progress(double done, double total, std::string_view phase, std::optional<double> eta_seconds) {
  for (const auto& task : tasks_) task->Progress(done, total, phase, eta_seconds);
}

void BatchTask::KeepTimings(const json& key, const json& timings) { tasks_.front()->KeepTimings(key, timings); }

json BatchTask::FindTimings(const json& key) { return tasks_.front()->FindTimings(key); }

std::string BatchTask::Input(const std::string& local_path) { return tasks_.front()->Input(local_path); }

std::string BatchTask::OutputFolder() { return tasks_.front()->OutputFolder(); }

fs::path BatchTask::LogOf(std::size_t member) const {
  return services_.paths->StageLog(*orders_[member].plugin, orders_[member].context);
}

JobRequest BatchTask::RequestFor(const json& job) {
  JobRequest request = tasks_.front()->RequestFor(job);
  request.log_path = services_.paths->BatchLog(request.folder);
  request.on_progress = [this](double done, double total, std::string_view phase) {
    Progress(done, total, phase, std::nullopt);
  };
  std::vector<StoreWriter::Change> changes = {ShareJob()};
  for (const StageTask::Order& order : orders_) {
    if (order.running) changes.push_back(order.running);
    if (&order != &orders_.front()) request.members.push_back(order.context);
  }
  request.also = [changes](RunStore& store) {
    for (const StoreWriter::Change& change : changes) change(store);
  };
  return request;
}

StoreWriter::Change BatchTask::ShareJob() const {
  std::vector<RunContext> contexts;
  for (const StageTask::Order& order : orders_) contexts.push_back(order.context);
  return [contexts](RunStore& store) {
    JobRecord shared;
    for (const JobRecord& job : store.JobsOf(contexts[0].run_id)) {
      if (AreOfOneAttempt(job, contexts[0])) shared = job;
    }
    for (std::size_t i = 1; i < contexts.size(); ++i) {
      JobRecord job = shared;
      job.id = 0;
      job.instance = contexts[i].instance;
      job.attempt = contexts[i].attempt;
      store.PutJob(&job);
    }
  };
}

std::vector<MemberResult> BatchTask::RunBatch(const json& plan,
                                              const std::function<void(std::string_view)>& on_output) {
  const JobRequest request = RequestFor(plan.at("job"));
  MakePrivateFolder(request.log_path.parent_path());
  std::vector<LogSlice> slices;
  for (std::size_t i = 0; i < orders_.size(); ++i) {
    slices.push_back({plan["members"][i].value("log_marker", ""), HasEnded(i) ? fs::path() : LogOf(i)});
    if (HasEnded(i)) continue;
    for (const JobFile& file : request.command.files) tasks_[i]->KeepFile(file);
    // While the job runs, everybody's log is all of it.
    MakePrivateFolder(LogOf(i).parent_path());
    fs::remove(LogOf(i));
    Symlink(request.log_path, LogOf(i));
  }
  const JobOutcome outcome = tasks_.front()->Carry(request, on_output);
  std::vector<MemberResult> results;
  tasks_.front()->KeepResults([&] {
    services_.store->Write(ShareJob());
    if (fs::exists(request.log_path)) SliceLog(request.log_path, &slices);  // it was not cancelled before it began
    for (std::size_t i = 0; i < orders_.size(); ++i) {
      results.push_back(HasEnded(i) ? MemberResult()
                                    : Collect(i, plan["members"][i], request, outcome.failure, slices[i].begun));
    }
  });
  return results;
}

MemberResult BatchTask::Collect(std::size_t member, const json& planned, const JobRequest& request,
                                const Failure& of_job, bool has_slice) {
  StageTask& task = *tasks_[member];
  if (of_job.kind == FailureKind::kCancelled) return {of_job, json::object()};
  const OutputCollector collector(StageTask::OutputsOf(planned.at("outputs")), request.folder, task.Folder(),
                                  planned.value("folder", ""));
  TransferWatch watch(services_.bus, services_.clock, orders_[member].context, {"download", request.target_name});
  Collection collection = collector.Collect(request.target, cancel_, watch.Around(request.on_progress));
  watch.SetFiles(collection.transfers);
  MemberResult result;
  if (!collection.failure) {
    for (const CollectedOutput& output : collection.outputs) {
      task.Keep(output);
      result.outputs[output.name] = output.path.string();
    }
    return result;
  }
  result.failure = of_job ? of_job : collection.failure;
  // What stands in the part of another member is not why this one failed.
  if (has_slice) result.failure = Explained(collection.failure, ReadVerdict(ReadTail(LogOf(member), kVerdictBytes)));
  if (has_slice && of_job && result.failure.kind == collection.failure.kind) result.failure = of_job;
  return result;
}

}  // namespace cosmos
