// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_HOOK_HPP_
#define COSMOS_HOOK_HPP_

#include <cosmos/context.hpp>
#include <cosmos/description.hpp>
#include <cosmos/gpus.hpp>
#include <cosmos/job_log.hpp>
#include <cosmos/log_level.hpp>
#include <cosmos/services.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cosmos::sdk {

// What subscribes to a run's events. One instance serves one run, on one thread of its own; a slow hook is dropped
// from, never waited for. What it throws is recorded and never changes the run's outcome.
class Hook {
 public:
  Hook() = default;
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;
  virtual ~Hook() = default;

  virtual Description Describe() const = 0;

  // Before the first and after the last event. `parameters` is the hook's entry below `hooks:`. What the hook started
  // has ended when Stop returns; the host has closed the logs of all jobs by then.
  virtual void Start(const Context& context, const Json& parameters) {
    static_cast<void>(context);
    static_cast<void>(parameters);
  }
  virtual void OnEvent(const Json& event) = 0;
  virtual void Stop() {}

  // For the SDK and for tests: the run that Log and LogOf are about, before Start. `run` must be valid until Stop has
  // returned.
  void Attach(const Services& services, cosmos_run* run) noexcept {
    services_ = services;
    run_ = run;
  }

  // The name of the job that `event` is about: STAGE[.INSTANCE]/ATTEMPT.
  static std::string JobOf(const Json& event) {
    std::string job = event.value("stage", "");
    if (const std::string instance = event.value("instance", ""); !instance.empty()) job += "." + instance;
    return job + "/" + std::to_string(event.value("attempt", 1));
  }

 protected:
  // Both from Start until Stop returns, from any thread. Where the host gave no run, or has no such service, nothing is
  // logged, and every log counts as closed.

  // A line of the run's engine log.
  void Log(LogLevel level, std::string_view text) const noexcept {
    if (run_ == nullptr || services_.run == nullptr) return;
    services_.run->log(run_, static_cast<std::int32_t>(level), ToC(text));
  }

  // The log of the job that `event` (job_submitted, job_attached, job_ended) tells of. The description must require
  // cosmos.job_log/1, or list it as optional.
  JobLog LogOf(const Json& event) const { return JobLog(services_, run_, JobOf(event)); }

  // The GPUs of the run's targets. The description must require cosmos.gpu/1, or list it as optional.
  Gpus GpusOfRun() const { return Gpus(services_, run_); }

 private:
  Services services_;
  cosmos_run* run_ = nullptr;
};

}  // namespace cosmos::sdk

#endif  // COSMOS_HOOK_HPP_
