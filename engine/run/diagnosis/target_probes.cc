#include "run/diagnosis/target_probes.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/process_end.h"
#include "core/text.h"
#include "run/targets/target_contact.h"

namespace cosmos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kTick = milliseconds(50);            // for a token that is cancelled
constexpr auto kForTheAnswer = milliseconds(1500);  // of a script that was killed at the end of its time
constexpr auto kGiveUpTimeout = seconds(2);         // for threads that were told to

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

struct TargetProbes::Answer {
  bool IsThere() {
    const std::lock_guard lock(mutex);
    return there;
  }

  std::mutex mutex;  // guards what follows
  std::condition_variable given;
  bool there = false;
  TargetOutput output;
  std::exception_ptr problem;
};

// Shared by the threads that ask, which may outlive everybody else when a host says nothing.
struct TargetProbes::Probe {
  explicit Probe(const nlohmann::json& config) : contact(config, TargetContact::Passphrases::kUnasked) {}

  // Throws why the host cannot be used; tried once.
  void Reach() {
    const std::lock_guard lock(reaching);
    if (problem) std::rethrow_exception(problem);
    if (reached) return;
    try {
      contact.Reach();
      reached = true;
    } catch (const std::exception&) {
      problem = std::current_exception();
      throw;
    }
  }

  TargetContact contact;
  std::mutex reaching;  // held while the host is reached; guards `problem`
  std::atomic<bool> reached = false;
  std::exception_ptr problem;
};

// A thread that asks one question, and where its answer will be.
struct TargetProbes::Asking {
  std::shared_ptr<Probe> probe;
  std::shared_ptr<Answer> answer;
  std::thread thread;
};

TargetProbes::TargetProbes(const std::map<std::string, nlohmann::json>* configs) : configs_(*configs) {}

TargetProbes::~TargetProbes() {
  const SteadyTime end = Now() + kGiveUpTimeout;
  for (const Asking& asking : asking_) {
    if (!asking.answer->IsThere()) asking.probe->contact.Abandon();
  }
  for (Asking& asking : asking_) {
    std::unique_lock lock(asking.answer->mutex);
    if (asking.answer->given.wait_until(lock, end, [&] { return asking.answer->there; })) {
      lock.unlock();
      asking.thread.join();
    } else {
      LeaveBehind(std::move(asking.thread));
    }
  }
  asking_.clear();
  // A connection that is being made ends only with that.
  for (auto& [name, probe] : probes_) {
    if (!probe->reached || probe.use_count() > 1) LeaveBehind(std::thread([last = std::move(probe)] {}));
  }
}

std::shared_ptr<TargetProbes::Probe> TargetProbes::ProbeOf(const std::string& target) {
  const auto config = configs_.find(target);
  if (config == configs_.end()) {
    std::vector<std::string> names;
    for (const auto& [name, unused] : configs_) names.push_back(name);
    throw Error(ErrorCode::kNotFound, "the run has no target '" + target + "'", Suggestion(target, names));
  }
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Probe>& probe = probes_[target];
  if (probe == nullptr) probe = std::make_shared<Probe>(config->second);
  return probe;
}

TargetOutput TargetProbes::Run(const std::string& target, const std::string& script, Duration longest,
                               const CancelToken& cancel) {
  const SteadyTime end = Now() + longest;
  const std::shared_ptr<Probe> probe = ProbeOf(target);
  const auto answer = std::make_shared<Answer>();
  std::thread thread([probe, answer, script, end] {
    TargetOutput output;
    std::exception_ptr problem;
    try {
      probe->Reach();
      output = probe->contact->Run(script, std::max<Duration>(end - Now(), milliseconds(1)));
    } catch (...) {
      problem = std::current_exception();
    }
    {
      const std::lock_guard lock(answer->mutex);
      answer->output = std::move(output);
      answer->problem = problem;
      answer->there = true;
    }
    answer->given.notify_all();
  });
  {
    const std::lock_guard lock(mutex_);
    asking_.push_back({probe, answer, std::move(thread)});
  }

  std::unique_lock lock(answer->mutex);
  while (!answer->there && Now() < end + kForTheAnswer && !cancel.cancelled()) answer->given.wait_for(lock, kTick);
  if (answer->there) {
    if (answer->problem) std::rethrow_exception(answer->problem);
    return answer->output;
  }
  // A single command may hang so that nothing ends it, as within a driver; the others are not to suffer for it.
  if (!probe->reached) probe->contact.Abandon();
  if (cancel.cancelled()) throw Error(ErrorCode::kConnectionLost, "it was given up");
  throw Error(ErrorCode::kConnectionLost, "target '" + target + "' gave no answer within " + FormatDuration(longest));
}

}  // namespace cosmos
