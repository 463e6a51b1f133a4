// The part of StageRunner for instances that share a job.
#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "run/batch_task.h"
#include "run/stage_runner.h"

namespace cosmos {
namespace {

using nlohmann::json;

bool IsOf(const JobRecord& job, const BatchItem& item) {
  return job.stage == item.instance->stage && job.instance == item.instance->instance &&
         job.attempt == item.begin.attempt;
}

}  // namespace

std::vector<JobRecord> StageRunner::JobsOf(const StageInstance& instance) const {
  std::vector<JobRecord> jobs;
  services_.store->WriteAndWait([&](RunStore& store) { jobs = store.JobsOf(state_.run_id()); });
  std::erase_if(jobs, [&](const JobRecord& job) { return job.stage != instance.stage; });
  return jobs;
}

std::vector<AttemptEnd> StageRunner::RunBatch(const std::vector<BatchItem>& items, const CancelToken& cancel) {
  std::vector<AttemptEnd> ends(items.size());
  const std::vector<JobRecord> jobs = JobsOf(*items.front().instance);
  // An attempt that an earlier engine began goes on in the job it had then; the others share a new one.
  std::map<std::string, std::vector<std::size_t>> by_folder;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto job = std::find_if(jobs.begin(), jobs.end(), [&](const JobRecord& job) { return IsOf(job, items[i]); });
    by_folder[job == jobs.end() ? "" : job->folder].push_back(i);
  }
  for (const auto& [folder, members] : by_folder) {
    std::vector<BatchItem> together;
    std::vector<std::size_t> places;
    for (const std::size_t i : members) {
      bool alone = folder.empty() && members.size() == 1;
      try {
        alone = alone || !WhenHolds(*items[i].instance, items[i].begin);
      } catch (const Error&) {
        alone = true;
      }
      if (alone) {
        ends[i] = Run(*items[i].instance, items[i].begin, cancel);
      } else {
        together.push_back(items[i]);
        places.push_back(i);
      }
    }
    if (together.empty()) continue;
    const std::vector<AttemptEnd> some = WorkBatch(together, folder, jobs, cancel);
    for (std::size_t k = 0; k < some.size(); ++k) ends[places[k]] = some[k];
  }
  return ends;
}

std::vector<AttemptEnd> StageRunner::WorkBatch(const std::vector<BatchItem>& items, const std::string& folder,
                                               const std::vector<JobRecord>& jobs, const CancelToken& cancel) {
  std::vector<std::unique_ptr<OpenAttempt>> attempts(items.size());
  std::vector<AttemptEnd> ends(items.size());
  std::vector<BatchMember> members;  // in the plan's order, as they were when the job was planned
  for (const StageInstance& instance : state_.plan().instances) {
    const auto item =
        std::find_if(items.begin(), items.end(), [&](const BatchItem& item) { return item.instance == &instance; });
    if (item == items.end()) {
      if (auto ended = EndedMember(instance, folder, jobs)) members.push_back(std::move(*ended));
      continue;
    }
    const auto i = static_cast<std::size_t>(item - items.begin());
    attempts[i] = std::make_unique<OpenAttempt>(&services_, ContextOf(instance, item->begin), instance, item->begin);
    try {
      members.push_back({Prepare(instance, item->begin, attempts[i].get()), i});
    } catch (const std::exception& error) {
      ends[i].failure = FailureOf(error);
    }
  }
  if (!members.empty()) RunMembers(members, folder, cancel, &ends);
  for (std::size_t i = 0; i < items.size(); ++i) ends[i] = attempts[i]->Close(std::move(ends[i]));
  return ends;
}

std::optional<StageRunner::BatchMember> StageRunner::EndedMember(const StageInstance& instance,
                                                                 const std::string& folder,
                                                                 const std::vector<JobRecord>& jobs) const {
  if (folder.empty()) return std::nullopt;
  const auto job = std::find_if(jobs.begin(), jobs.end(), [&](const JobRecord& job) {
    return job.folder == folder && job.stage == instance.stage && job.instance == instance.instance;
  });
  if (job == jobs.end()) return std::nullopt;
  InstanceState state;
  state.attempt = job->attempt;
  BatchMember member;
  member.prepared.call = {ContextOf(instance, state), ParametersOf(instance), instance.gpus, {}, true};
  member.prepared.order.context = member.prepared.call.context;
  member.prepared.order.instance = &instance;
  member.prepared.order.plugin = &services_.plugins->Get(instance.uses).facts();
  return member;
}

void StageRunner::RunMembers(const std::vector<BatchMember>& members, const std::string& folder,
                             const CancelToken& cancel, std::vector<AttemptEnd>* ends) {
  std::vector<StageCall> calls;
  std::vector<StageTask::Order> orders;
  for (const BatchMember& member : members) {
    calls.push_back(member.prepared.call);
    orders.push_back(member.prepared.order);
  }
  BatchTask task(&services_, orders, &cancel, folder);
  for (const std::shared_ptr<StageTask>& member : task.members()) Watch(member);
  StagePlugin plugin(&services_.plugins->Get(orders.front().instance->uses));
  std::vector<MemberResult> results(members.size());
  try {
    const json plan = plugin.PlanBatch(&task, calls);
    results = task.RunBatch(plan, [&](std::string_view bytes) { plugin.OnBatchOutput(&task, bytes); });
  } catch (const std::exception& error) {
    for (MemberResult& result : results) result.failure = FailureOf(error);
  }
  if (!task.lost().empty()) Leave(calls.front().context, {task.lost()});
  if (cancel.abandoned()) Leave(calls.front().context, {"the engine gave the batch up; its job goes on"});
  for (std::size_t k = 0; k < members.size(); ++k) {
    if (!members[k].item) continue;
    AttemptEnd& end = (*ends)[*members[k].item];
    end.failure = results[k].failure;
    end.outputs = results[k].outputs;
    end.log_path = task.LogOf(k);
    end.progress = task.members()[k]->progress();
    end.left_behind = task.LeftBehind();
  }
}

}  // namespace cosmos
