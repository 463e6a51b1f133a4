#include "run/gpu/gpu_gate.h"

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/status.h"
#include "core/text.h"
#include "run/retry_policy.h"
#include "run/run_lock.h"
#include "run/targets/target_paths.h"
#include "run/targets/target_set.h"

namespace cosmos {
namespace {

GpuBusy BusyOf(const std::string& word) {
  if (word == "fail") return GpuBusy::kFail;
  return word == "ignore" ? GpuBusy::kIgnore : GpuBusy::kWait;
}

RunContext ContextOf(const std::string& run_id, const std::string& stage, const std::string& instance, int attempt) {
  RunContext context;
  context.run_id = run_id;
  context.stage = stage;
  context.instance = instance;
  context.attempt = attempt;
  return context;
}

template <typename Record>
RunContext ContextOf(const Record& record) {
  return ContextOf(record.run_id, record.stage, record.instance, record.attempt);
}

RunContext ContextOf(const BatchItem& item, const RunState& state) {
  RunContext context = ContextOf(state.run_id(), item.instance->stage, item.instance->instance, item.begin.attempt);
  context.workflow = state.plan().name;
  context.prompt_name = item.instance->prompt_name;
  return context;
}

const JobRecord* JobOf(const RunContext& attempt, const std::vector<JobRecord>& jobs) {
  const auto job =
      std::find_if(jobs.begin(), jobs.end(), [&](const JobRecord& record) { return AreOfOneAttempt(record, attempt); });
  return job == jobs.end() ? nullptr : &*job;
}

// By its record, or, when its engine died before that was kept, by where it would be.
std::optional<JobHandle> HandleOf(const GpuClaimRecord& claim, RunStore* store, Target* target) {
  const RunContext context = ContextOf(claim);
  const std::vector<JobRecord> jobs = store->JobsOf(claim.run_id);
  if (const JobRecord* job = JobOf(context, jobs)) {
    return JobHandle{job->folder, job->pid, job->pid_start_time, job->boot_id, job->container};
  }
  return target->Find(target->IsLocal()
                          ? RunPaths(store->GetRun(claim.run_id).output_dir, claim.run_id).JobFolder(context).string()
                          : TargetPaths(target->Workdir()).JobFolder(context));
}

}  // namespace

GpuLeases::Holders HoldersOf(RunStore* store) {
  return {[](const std::string& run_id, const std::string& output_dir) {
            return RunLock::Holder(RunPaths(output_dir, run_id).lock()).has_value();
          },
          [store](const GpuClaimRecord& claim, Target* target) {
            try {
              const auto handle = HandleOf(claim, store, target);
              return handle && target->Poll(*handle).phase == JobState::Phase::kRunning;
            } catch (const Error&) {
              return true;  // who does not know does not take anything away
            }
          }};
}

GpuGate::GpuGate(const RunServices* services, const RunState* state, int priority)
    : services_(*services), state_(*state), priority_(priority) {
  DropEnded();
}

// An engine that died between an attempt's end and giving its GPUs back left them claimed.
void GpuGate::DropEnded() {
  const std::vector<JobRecord> jobs = services_.records->JobsOf(state_.run_id());
  std::set<std::string> open;  // attempts, and the jobs' folders
  for (const StageRecord& stage : services_.records->StagesOf(state_.run_id())) {
    if (IsEnd(StatusOf(stage.status))) continue;
    const RunContext context = ContextOf(stage);
    open.insert(context.key() + "/" + std::to_string(context.attempt));
    if (const JobRecord* job = JobOf(context, jobs)) open.insert(job->folder);
  }
  for (const GpuClaimRecord& claim : services_.records->GpuClaims()) {
    if (claim.run_id != state_.run_id() || claim.devices.empty()) continue;
    const RunContext context = ContextOf(claim);
    const JobRecord* const job = JobOf(context, jobs);
    if (open.contains(context.key() + "/" + std::to_string(context.attempt))) continue;
    if (job != nullptr && open.contains(job->folder)) continue;
    services_.records->DropGpuClaim(claim.id);
  }
}

RunContext GpuGate::LeaderOf(const std::vector<BatchItem>& items, bool* has_job) const {
  const RunContext first = ContextOf(items.front(), state_);
  *has_job = false;
  if (!items.front().begin.begun) return first;
  const std::vector<JobRecord> jobs = services_.records->JobsOf(state_.run_id());
  const JobRecord* const own = JobOf(first, jobs);
  if (own == nullptr) return first;
  *has_job = true;
  for (const GpuClaimRecord& claim : services_.records->GpuClaims()) {
    const JobRecord* const job = claim.run_id == state_.run_id() ? JobOf(ContextOf(claim), jobs) : nullptr;
    if (job != nullptr && job->folder == own->folder) return ContextOf(claim);
  }
  return first;
}

GpuRequest GpuGate::RequestOf(const BatchItem& item, const RunContext& leader, int gpus) const {
  const StageInstance& instance = *item.instance;
  const nlohmann::json& config = state_.plan().targets.at(instance.target);
  GpuRequest request;
  request.context = leader;
  request.target = instance.target;
  request.host = HostKeyOf(config);
  request.gpus = gpus;
  request.most = config.value("gpus", 0);
  request.priority = priority_;
  request.busy = BusyOf(instance.gpu_busy);
  return request;
}

void GpuGate::TellWaiting(const BatchItem& item, int gpus, const std::string& reason) {
  const RunContext context = ContextOf(item, state_);
  {
    const std::lock_guard lock(mutex_);
    std::string& told = told_[context.key()];
    if (told == reason) return;
    told = reason;
  }
  services_.logger->Log(LogLevel::kInfo, context, "queued: " + reason);
  services_.bus->Publish(context, StageQueued{item.instance->target, gpus, reason});
}

bool GpuGate::Enter(std::vector<BatchItem>* items, Failure* refused) {
  BatchItem& first = items->front();
  const int gpus = LadderOf(*first.instance, first.begin.out_of_memory).gpus;
  if (gpus == 0) return true;
  bool has_job = false;
  const RunContext leader = LeaderOf(*items, &has_job);
  GpuAnswer answer;
  // A job that was started is only waited for and collected: it has its GPUs, or has given them back.
  const GpuRequest request = RequestOf(first, leader, gpus);
  if (has_job && !services_.leases->Holds(leader)) return true;
  answer = services_.leases->Ask(request, services_.targets->at(request.target));
  switch (answer.kind) {
    case GpuAnswer::Kind::kWaits:
      TellWaiting(first, gpus, answer.reason);
      return false;
    case GpuAnswer::Kind::kRefused:
      *refused = {answer.possible ? FailureKind::kGpuBusy : FailureKind::kInvalidInput, answer.reason};
      return false;
    case GpuAnswer::Kind::kGranted:
      break;
  }
  for (BatchItem& item : *items) item.begin.gpus = answer.gpus;
  services_.bus->Publish(ContextOf(first, state_), GpusLeased{request.target, ToJson(answer.gpus), answer.waited});
  return true;
}

void GpuGate::Await(std::vector<BatchItem>* items, Failure* refused, const CancelToken& cancel) {
  while (!Enter(items, refused) && !*refused) {
    if (cancel.abandoned()) throw Error(ErrorCode::kUnavailable, "the engine was ended while it waited for GPUs");
    std::this_thread::sleep_for(kAskAgain);
  }
}

void GpuGate::Leave(const std::vector<BatchItem>& items) {
  if (items.front().begin.gpus.empty()) return;
  bool has_job = false;
  services_.leases->Release(LeaderOf(items, &has_job));
  const std::lock_guard lock(mutex_);
  told_.erase(items.front().instance->key());
}

}  // namespace cosmos
