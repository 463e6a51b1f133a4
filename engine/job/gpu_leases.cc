#include "job/gpu_leases.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "store/attempt.h"

namespace cosmos {
namespace {

using std::chrono::seconds;

constexpr auto kPatience = seconds(30);  // for another process that asks the host
constexpr auto kStaysSo = seconds(5);
constexpr auto kBusyReadingAge = std::chrono::milliseconds(500);  // the processes of a job that ended go soon
constexpr auto kSilentReadingAge = seconds(2);                    // each question may take many seconds
constexpr auto kMostReadingAge = seconds(30);
constexpr auto kReadingSlack = seconds(1);  // from the question to the use of its answer
constexpr auto kStillRuns = seconds(1);     // for so long a job that ran is not asked about again, at first
constexpr auto kMostStillRuns = seconds(5);
constexpr int kBackOff = 4;  // a question each fourth of the time that passed

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

Duration GpuLeases::LongestAge(Block block, Duration since) {
  switch (block) {
    case Block::kNone:
      return kGpuReadingAge;
    case Block::kOurs:  // whose end the store tells
      return kMostReadingAge;
    case Block::kSilent:
      return std::clamp<Duration>(since / kBackOff, kSilentReadingAge, kMostReadingAge);
    default:
      return std::clamp<Duration>(since / kBackOff, kBusyReadingAge, kMostReadingAge);
  }
}

GpuLeases::Block GpuLeases::BlockOf(GpuInventory::Kind kind, const GpuDecision& decision) {
  if (kind == GpuInventory::Kind::kTooFew) return Block::kTooFew;
  if (kind == GpuInventory::Kind::kSilent) return Block::kSilent;
  if (kind == GpuInventory::Kind::kTooFewWork) return Block::kTooFewWork;
  if (!decision.gpus.empty()) return Block::kNone;
  return decision.somebody_else ? Block::kSomebodyElse : Block::kOurs;
}

GpuLeases::GpuLeases(RunStore* store, Clock* clock, GpuCache cache, Holders holders)
    : store_(*store), clock_(*clock), cache_(std::move(cache)), holders_(std::move(holders)) {}

std::optional<GpuAnswer> GpuLeases::Held(const GpuRequest& request) {
  for (const GpuClaimRecord& claim : store_.GpuClaims()) {
    if (!IsOf(claim, request.context) || LeasedGpusOf(claim).empty()) continue;
    GpuAnswer answer;
    answer.kind = GpuAnswer::Kind::kGranted;
    answer.gpus = LeasedGpusOf(claim);
    answer.waited = std::chrono::milliseconds(UnixMilliseconds(clock_.Wall()) - claim.requested_at);
    return answer;
  }
  return std::nullopt;
}

GpuLeases::Waiting GpuLeases::WaitingOf(const RunContext& context) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(KeyOf(context));
  return found == waiting_.end() ? Waiting{} : found->second;
}

GpuAnswer GpuLeases::Ask(const GpuRequest& request, Target* target) {
  if (auto held = Held(request)) return *held;
  const Waiting waiting = WaitingOf(request.context);
  const std::vector<std::uint64_t> gone = Gone(request, target);
  const Duration age = LongestAge(waiting.block, clock_.Steady() - waiting.since);
  Outcome outcome = Decide(request, target, gone, waiting, age);
  // What an old reading says is good enough to go on waiting, and for nothing else.
  const bool settled = outcome.block == waiting.block && outcome.block != Block::kNone;
  if (!settled && outcome.age.value_or(age) > kGpuReadingAge) {
    outcome = Decide(request, target, gone, waiting, kBusyReadingAge);
  }
  return AnswerOf(request, outcome);
}

GpuLeases::Outcome GpuLeases::Decide(const GpuRequest& request, Target* target, const std::vector<std::uint64_t>& gone,
                                     const Waiting& waiting, Duration longest_age) {
  const GpuState state =
      cache_.Read(request.answers.empty() ? request.host : request.answers, target, longest_age, kPatience);
  GpuInventory inventory = InventoryOf(state, request.target, request.gpus, request.most, longest_age + kReadingSlack);
  if (inventory.kind == GpuInventory::Kind::kSilent && request.busy == GpuBusy::kIgnore &&
      waiting.block == Block::kSilent && clock_.Steady() - waiting.since >= kStaysSo) {
    inventory = CountedInventory(request.gpus, request.most);  // as its user told it to, whatever the driver says
  }
  Outcome outcome;
  outcome.age = state.age;
  const auto decide = [&] {
    outcome.view = Look(request, gone, inventory.candidates);
    const GpuClaimRecord& mine = outcome.view.mine;
    if (inventory.kind == GpuInventory::Kind::kKnown) {
      outcome.decision = DecideGpus(mine, outcome.view.others, inventory.candidates, request.busy == GpuBusy::kIgnore);
    } else {
      const bool silent = inventory.kind == GpuInventory::Kind::kSilent;
      const std::string subject =
          silent ? fmt::format("silent {}", state.reading.exit_status) : inventory.reason;  // chatter may change
      outcome.decision = {{}, WaitReason(mine, inventory.reason), false, subject};
    }
    outcome.block = BlockOf(inventory.kind, outcome.decision);
    // Numbers of memory that come and go are nothing new.
    if (outcome.block == waiting.block && outcome.decision.subject == waiting.subject) {
      outcome.decision.reason = waiting.reason;
    }
  };
  decide();
  // A grant rests on a reading of this moment, and a host that can never do it gets no place in its queue.
  const bool too_old = !outcome.decision.gpus.empty() && state.reading.knows_gpus() &&
                       state.age.value_or(Duration::zero()) > kGpuReadingAge;
  if (too_old || inventory.kind == GpuInventory::Kind::kTooFew) return outcome;
  const auto waits_as_before = [&] {
    const GpuClaimRecord& mine = outcome.view.mine;
    return mine.id != 0 && mine.devices.empty() && !mine.asleep && outcome.view.gone.empty() &&
           outcome.decision.gpus.empty() && outcome.decision.reason == mine.reason;
  };
  if (waits_as_before()) return outcome;  // which many engines find out often, and need not lock the store for
  store_.InTransaction([&] {
    decide();
    GpuClaimRecord& mine = outcome.view.mine;
    for (const std::uint64_t id : outcome.view.gone) store_.DropGpuClaim(id);
    if (!mine.devices.empty() || waits_as_before()) return;
    mine.reason = outcome.decision.reason;
    mine.asleep = false;
    if (!outcome.decision.gpus.empty()) {
      mine.devices = ToJson(outcome.decision.gpus).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      mine.granted_at = UnixMilliseconds(clock_.Wall());
    }
    store_.PutGpuClaim(&mine);
  });
  return outcome;
}

GpuAnswer GpuLeases::AnswerOf(const GpuRequest& request, const Outcome& outcome) {
  GpuAnswer answer;
  answer.gpus = LeasedGpusOf(outcome.view.mine);
  answer.waited = std::chrono::milliseconds(UnixMilliseconds(clock_.Wall()) - outcome.view.mine.requested_at);
  answer.reason = outcome.decision.reason;
  const std::string key = KeyOf(request.context);
  Duration blocked = Duration::zero();
  {
    const std::lock_guard lock(mutex_);
    if (!answer.gpus.empty()) {
      waiting_.erase(key);
      answer.kind = GpuAnswer::Kind::kGranted;
      answer.reason.clear();
      return answer;
    }
    Waiting& waiting = waiting_[key];
    if (waiting.block != outcome.block) waiting.since = clock_.Steady();
    waiting.block = outcome.block;
    waiting.subject = outcome.decision.subject;
    waiting.reason = outcome.decision.reason;
    blocked = clock_.Steady() - waiting.since;
  }
  // The processes of a job that just ended go soon, and a driver may be slow for once.
  const bool for_good = blocked >= kStaysSo;
  const bool may_wait = outcome.block == Block::kSomebodyElse || outcome.block == Block::kSilent;
  if (outcome.block == Block::kTooFew || (for_good && outcome.block == Block::kTooFewWork) ||
      (for_good && may_wait && request.busy == GpuBusy::kFail)) {
    answer.kind = GpuAnswer::Kind::kRefused;
    answer.possible = outcome.block != Block::kTooFew;
    if (!may_wait) answer.reason = outcome.decision.subject;
    Release(request.context);
  }
  return answer;
}

bool GpuLeases::HasEngine(const GpuClaimRecord& claim, const std::string& own_run) const {
  // The own lock must not even be looked at: who closes a file gives up the process's locks on it.
  return claim.run_id == own_run || holders_.has_engine(claim.run_id, store_.GetRun(claim.run_id).output_dir);
}

bool GpuLeases::HasJob(const GpuClaimRecord& claim, Target* target) {
  {
    const std::lock_guard lock(mutex_);
    const auto seen = seen_running_.find(claim.id);
    if (seen != seen_running_.end()) {
      const SeenRunning& times = seen->second;
      const Duration pause = std::clamp<Duration>((times.last - times.first) / kBackOff, kStillRuns, kMostStillRuns);
      if (clock_.Steady() - times.last < pause) return true;
    }
  }
  const bool runs = holders_.has_job(claim, target);
  const std::lock_guard lock(mutex_);
  if (runs) {
    const SteadyTime now = clock_.Steady();
    seen_running_.try_emplace(claim.id, SeenRunning{now, now}).first->second.last = now;
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
  {
    const std::lock_guard lock(mutex_);
    waiting_.erase(KeyOf(context));
  }
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
