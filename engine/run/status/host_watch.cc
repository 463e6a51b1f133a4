#include "run/status/host_watch.h"

#include <chrono>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "run/targets/target_set.h"

namespace cosmos {
namespace {

using std::chrono::seconds;

constexpr auto kLongestToLook = seconds(60);
constexpr auto kPatience = seconds(10);  // for another process that asks the host

std::string LeftoversOf(const std::string& host) { return "leftovers " + host; }

}  // namespace

HostWatch::HostWatch(GarbagePlace place, const std::filesystem::path& cache_folder)
    : place_(std::move(place)),
      engines_(place_.engines.begin(), place_.engines.end()),
      host_(HostKeyOf(place_.config)),
      gpus_(cache_folder),
      cache_(cache_folder),
      thread_([this] { Work(); }) {}

HostWatch::~HostWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void HostWatch::Ask() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  changed_.notify_all();
}

bool HostWatch::Await(SteadyTime until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [this] { return !wanted_; });
}

HostState HostWatch::state() {
  {
    const std::lock_guard lock(mutex_);
    if (state_) return *state_;
  }
  return StateOf(gpus_.Peek(host_), cache_.Peek(LeftoversOf(host_)));
}

void HostWatch::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || wanted_; });
    if (stopping_) return;
    lock.unlock();
    HostState state = Look();
    lock.lock();
    state_ = std::move(state);
    wanted_ = false;
    changed_.notify_all();
  }
}

Target* HostWatch::Contact() {
  if (contact_ == nullptr)
    contact_ = std::make_unique<TargetContact>(place_.config, TargetContact::Passphrases::kUnasked);
  try {
    contact_->Reach();
  } catch (const Error&) {
    contact_.reset();  // a contact that broke stays so
    throw;
  }
  return contact_->get();
}

// With the cache's answers at hand the host is not contacted at all.
HostState HostWatch::Look() {
  const SharedCache::Entry found = cache_.Get(LeftoversOf(host_), kGpuReadingAge, kPatience, [this] {
    const TargetOutput output = Contact()->Run(LookScript(engines_, {}), kLongestToLook);
    if (!ParseLeftovers(output.output, engines_.size()).whole) {
      throw Error(ErrorCode::kUnavailable,
                  "it does not tell what runs there: " +
                      TruncateUtf8(output.timed_out ? "it took too long" : output.errors, 200));
    }
    return output.output;
  });
  // A host that just could not be reached is not tried once more.
  HostState state = StateOf(found.failure.empty() ? gpus_.Read(
                                                        host_, [this] { return Contact(); }, kGpuReadingAge, kPatience)
                                                  : gpus_.Peek(host_),
                            found);
  state.asked = true;
  return state;
}

HostState HostWatch::StateOf(const GpuState& gpus, const SharedCache::Entry& found) const {
  HostState state;
  state.gpus = gpus;
  state.problem = found.failure.empty() ? gpus.failure : found.failure;
  state.reachable = found.age.has_value() && state.problem.empty();
  state.found_age = found.age;
  state.found = ParseLeftovers(found.text, engines_.size());
  for (const std::string& problem : state.found.problems) {
    state.problem += (state.problem.empty() ? "" : "; ") + problem;
  }
  return state;
}

}  // namespace cosmos
