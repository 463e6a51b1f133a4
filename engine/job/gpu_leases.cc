#include "job/gpu_leases.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/text.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

using std::chrono::seconds;

constexpr auto kPatience = seconds(30);  // for another process that asks the host
constexpr auto kStaysBusy = seconds(5);
constexpr auto kBusyReadingAge = std::chrono::milliseconds(500);  // the processes of a job that ended go soon
constexpr auto kStillRuns = seconds(1);                           // for so long a job that ran is not asked about again

std::string KeyOf(const RunContext& context) { return context.run_id + "/" + context.key(); }

bool IsOf(const GpuClaimRecord& claim, const RunContext& context) {
  return claim.run_id == context.run_id && AreOfOneAttempt(claim, context);
}

// Whether the claim can stand in the way of a request for GPUs of `host`.
bool Concerns(const GpuClaimRecord& claim, const std::string& host, const std::vector<GpuCandidate>& candidates) {
  if (claim.host == host) return true;
  for (const LeasedGpu& held : LeasedGpusOf(claim)) {
    for (const GpuCandidate& candidate : candidates) {
      if (!held.uuid.empty() && held.uuid == candidate.gpu.uuid) return true;
    }
  }
  return false;
}

}  // namespace

GpuLeases::GpuLeases(RunStore* store, Clock* clock, GpuCache cache, Holders holders)
    : store_(*store), clock_(*clock), cache_(std::move(cache)), holders_(std::move(holders)) {}

GpuAnswer GpuLeases::Ask(const GpuRequest& request, Target* target) {
  std::string impossible;
  const std::vector<GpuCandidate> candidates = Candidates(request, target, &impossible);
  if (!impossible.empty()) {
    Release(request.context);
    return {GpuAnswer::Kind::kRefused, {}, impossible, false, {}};
  }
  const std::vector<std::uint64_t> gone = Gone(request, target);
  const bool ignore_others = request.busy == GpuBusy::kIgnore;
  View view = Look(request, gone, candidates);
  GpuDecision decision = DecideGpus(view.mine, view.others, candidates, ignore_others);
  const auto waits_as_before = [&] {
    return view.mine.id != 0 && view.mine.devices.empty() && !view.mine.asleep && view.gone.empty() &&
           decision.gpus.empty() && decision.reason == view.mine.reason;
  };
  if (!waits_as_before()) {  // which many engines find out often, and need not lock the store for
    store_.InTransaction([&] {
      view = Look(request, gone, candidates);
      for (const std::uint64_t id : view.gone) store_.DropGpuClaim(id);
      decision = DecideGpus(view.mine, view.others, candidates, ignore_others);
      if (!view.mine.devices.empty() || waits_as_before()) return;
      view.mine.reason = decision.reason;
      view.mine.asleep = false;
      if (!decision.gpus.empty()) {
        view.mine.devices = ToJson(decision.gpus).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        view.mine.granted_at = UnixMilliseconds(clock_.Wall());
      }
      store_.PutGpuClaim(&view.mine);
    });
  }
  GpuAnswer answer;
  answer.gpus = LeasedGpusOf(view.mine);
  answer.waited = std::chrono::milliseconds(UnixMilliseconds(clock_.Wall()) - view.mine.requested_at);
  if (!answer.gpus.empty()) {
    answer.kind = GpuAnswer::Kind::kGranted;
    StaysBusy(request.context, false);
  } else {
    answer.reason = decision.reason;
    const bool for_good = StaysBusy(request.context, decision.somebody_else);
    if (for_good && request.busy == GpuBusy::kFail) {
      Release(request.context);
      answer.kind = GpuAnswer::Kind::kRefused;
    }
  }
  return answer;
}

bool GpuLeases::StaysBusy(const RunContext& context, bool busy_now) {
  const std::lock_guard lock(mutex_);
  if (!busy_now) {
    busy_since_.erase(KeyOf(context));
    return false;
  }
  const auto since = busy_since_.try_emplace(KeyOf(context), clock_.Steady()).first->second;
  return clock_.Steady() - since >= kStaysBusy;
}

std::vector<GpuCandidate> GpuLeases::Candidates(const GpuRequest& request, Target* target, std::string* impossible) {
  Duration longest_age = kGpuReadingAge;
  {
    const std::lock_guard lock(mutex_);
    if (busy_since_.contains(KeyOf(request.context))) longest_age = kBusyReadingAge;
  }
  const GpuState state = cache_.Read(request.host, target, longest_age, kPatience);
  std::vector<GpuCandidate> candidates = CandidatesOf(state.reading, request.most);
  const auto wanted = static_cast<std::size_t>(request.gpus);
  if (candidates.size() >= wanted) return candidates;
  if (!state.reading.gpus.empty() && state.reading.ok()) {
    *impossible = fmt::format("nvidia-smi tells of {} on '{}', expected {}; ask for fewer, or choose another target",
                              Counted(static_cast<std::int64_t>(candidates.size()), "GPU"), request.target, wanted);
    return {};
  }
  // Nobody tells which GPUs there are: they are taken by their numbers, and the job will tell whether they exist.
  candidates.clear();
  const int count = request.most > 0 ? std::max(request.most, request.gpus) : request.gpus;
  for (int i = 0; i < count; ++i) candidates.push_back({{i, "", ""}, ""});
  return candidates;
}

bool GpuLeases::HasEngine(const GpuClaimRecord& claim, const std::string& own_run) const {
  // The own lock must not even be looked at: who closes a file gives up the process's locks on it.
  return claim.run_id == own_run || holders_.has_engine(claim.run_id, store_.GetRun(claim.run_id).output_dir);
}

bool GpuLeases::HasJob(const GpuClaimRecord& claim, Target* target) {
  {
    const std::lock_guard lock(mutex_);
    const auto seen = seen_running_.find(claim.id);
    if (seen != seen_running_.end() && clock_.Steady() - seen->second < kStillRuns) return true;
  }
  const bool runs = holders_.has_job(claim, target);
  const std::lock_guard lock(mutex_);
  if (runs) {
    seen_running_[claim.id] = clock_.Steady();
  } else {
    seen_running_.erase(claim.id);
  }
  return runs;
}

std::vector<std::uint64_t> GpuLeases::Gone(const GpuRequest& request, Target* target) {
  std::vector<std::uint64_t> gone;
  for (const GpuClaimRecord& claim : store_.GpuClaims()) {
    if (claim.host != request.host || HasEngine(claim, request.context.run_id)) continue;
    if (claim.devices.empty() || !HasJob(claim, target)) gone.push_back(claim.id);
  }
  return gone;
}

GpuClaimRecord GpuLeases::ClaimOf(const GpuRequest& request) const {
  GpuClaimRecord claim;
  SetAttempt(request.context, &claim);
  claim.target = request.target;
  claim.host = request.host;
  claim.gpus = request.gpus;
  claim.priority = request.priority;
  claim.requested_at = UnixMilliseconds(clock_.Wall());
  return claim;
}

GpuLeases::View GpuLeases::Look(const GpuRequest& request, const std::vector<std::uint64_t>& gone,
                                const std::vector<GpuCandidate>& candidates) {
  View view;
  view.mine = ClaimOf(request);
  for (const GpuClaimRecord& claim : store_.GpuClaims()) {
    if (IsOf(claim, request.context)) {
      view.mine = claim;
    } else if (std::find(gone.begin(), gone.end(), claim.id) != gone.end() &&
               !HasEngine(claim, request.context.run_id)) {  // another engine may have taken the run up meanwhile
      view.gone.push_back(claim.id);
    } else if (Concerns(claim, request.host, candidates)) {
      view.others.push_back(claim);
    }
  }
  return view;
}

void GpuLeases::Release(const RunContext& context) {
  store_.InTransaction([&] {
    for (const GpuClaimRecord& claim : store_.GpuClaims()) {
      if (IsOf(claim, context)) store_.DropGpuClaim(claim.id);
    }
  });
}

void GpuLeases::ReleaseAll(const std::string& run_id) { store_.DropGpuClaimsOf(run_id); }

void GpuLeases::Sleep(const std::string& run_id) {
  store_.InTransaction([&] {
    for (GpuClaimRecord& claim : store_.GpuClaims()) {
      if (claim.run_id != run_id || !claim.devices.empty() || claim.asleep) continue;
      claim.asleep = true;
      store_.PutGpuClaim(&claim);
    }
  });
}

}  // namespace cosmos
