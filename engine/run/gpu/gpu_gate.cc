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
#include "store/attempt.h"

namespace cosmos {
namespace {

GpuBusy BusyOf(const std::string& word) {
  if (word == "fail") return GpuBusy::kFail;
  return word == "ignore" ? GpuBusy::kIgnore : GpuBusy::kWait;
}

RunContext ContextOf(const BatchItem& item, const RunState& state) {
  RunContext context = ContextOfRun(state);
  context.stage = item.instance->stage;
  context.instance = item.instance->instance;
  context.attempt = item.begin.attempt;
  context.prompt_name = item.instance->prompt_name;
  return context;
}

// By its record, or, when its engine died before that was kept, by where it would be.
std::optional<JobHandle> HandleOf(const GpuClaimRecord& claim, RunStore* store, Target* target) {
  const RunContext context = AttemptOf(claim);
  const std::vector<JobRecord> jobs = store->JobsOf(claim.run_id);
  if (const JobRecord* job = FindAttempt(jobs, context)) {
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

GpuGate::GpuGate(const RunServices* services, const RunState* state, const StageRunner* runner, int priority)
    : services_(*services), state_(*state), runner_(*runner), priority_(priority) {
  DropEnded();
}

// An engine that died between an attempt's end and giving its GPUs back left them claimed.
void GpuGate::DropEnded() {
  const std::vector<JobRecord> jobs = services_.records->JobsOf(state_.run_id());
  std::set<std::string> open;  // attempts, and the jobs' folders
  for (const StageRecord& stage : services_.records->StagesOf(state_.run_id())) {
    if (IsEnd(StatusOf(stage.status))) continue;
    const RunContext context = AttemptOf(stage);
    open.insert(context.key() + "/" + std::to_string(context.attempt));
    if (const JobRecord* job = FindAttempt(jobs, context)) open.insert(job->folder);
  }
  for (const GpuClaimRecord& claim : services_.records->GpuClaims()) {
    if (claim.run_id != state_.run_id() || claim.devices.empty()) continue;
    const RunContext context = AttemptOf(claim);
    const JobRecord* const job = FindAttempt(jobs, context);
    if (open.contains(context.key() + "/" + std::to_string(context.attempt))) continue;
    if (job != nullptr && open.contains(job->folder)) continue;
    services_.records->DropGpuClaim(claim.id);
  }
}

std::optional<RunContext> GpuGate::LeaderOf(const std::vector<BatchItem>& items) const {
  const RunContext first = ContextOf(items.front(), state_);
  if (!items.front().begin.begun) return first;
  const std::vector<JobRecord> jobs = services_.records->JobsOf(state_.run_id());
  const JobRecord* const own = FindAttempt(jobs, first);
  if (own == nullptr) return first;
  for (const GpuClaimRecord& claim : services_.records->GpuClaims()) {
    const JobRecord* const job = claim.run_id == state_.run_id() ? FindAttempt(jobs, claim) : nullptr;
    if (job != nullptr && job->folder == own->folder) return AttemptOf(claim);
  }
  return std::nullopt;
}

GpuRequest GpuGate::RequestOf(const BatchItem& item, const RunContext& leader, int gpus) const {
  const StageInstance& instance = *item.instance;
  const nlohmann::json& config = state_.plan().targets.at(instance.target);
  GpuRequest request;
  request.context = leader;
  request.target = instance.target;
  request.host = HostKeyOf(config);
  request.answers = CacheKeyOf(config);
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
    Told& told = told_.try_emplace(context.key(), Told{"", services_.clock->Steady()}).first->second;
    if (told.reason == reason) return;
    told.reason = reason;
  }
  services_.logger->Log(LogLevel::kInfo, context, "queued: " + reason);
  services_.bus->Publish(context, StageQueued{item.instance->target, gpus, reason});
}

// What will only be skipped, or fail for its condition, needs no GPUs.
bool GpuGate::HasWork(const std::vector<BatchItem>& items) const {
  return std::any_of(items.begin(), items.end(),
                     [this](const BatchItem& item) { return runner_.HasWork(*item.instance, item.begin); });
}

bool GpuGate::Enter(std::vector<BatchItem>* items, Failure* refused) {
  BatchItem& first = items->front();
  const int gpus = LadderOf(*first.instance, first.begin.out_of_memory).gpus;
  if (gpus == 0 || !HasWork(*items)) return true;
  const auto leader = LeaderOf(*items);
  if (!leader) return true;
  const GpuRequest request = RequestOf(first, *leader, gpus);
  const GpuAnswer answer = services_.leases->Ask(request, services_.targets->at(request.target));
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

std::string GpuGate::WaitText(const StageInstance& instance) {
  const std::lock_guard lock(mutex_);
  const auto told = told_.find(instance.key());
  if (told == told_.end()) return "";
  return FormatDuration(services_.clock->Steady() - told->second.since) + " in the queue: it " + told->second.reason;
}

void GpuGate::Leave(const std::vector<BatchItem>& items) {
  if (items.front().begin.gpus.empty()) return;
  if (const auto leader = LeaderOf(items)) services_.leases->Release(*leader);
  const std::lock_guard lock(mutex_);
  told_.erase(items.front().instance->key());
}

}  // namespace cosmos
