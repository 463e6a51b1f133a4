// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_SDK_TESTING_FAKE_RUN_H_
#define COSMOS_SDK_TESTING_FAKE_RUN_H_

#include <cosmos/plugin.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "testing/fake_gpus.h"
#include "testing/fake_host.h"
#include "testing/fake_job_log.h"

namespace cosmos::sdk::testing {

// A run for tests of hooks: drives one hook as the engine does, and keeps what the hook tells its services. The hook's
// own threads may call the services; all else is for the test's thread.
class FakeRun {
 public:
  // `host`, which must outlive this, serves `init`, gives the context and can lack services.
  explicit FakeRun(FakeHost* host) : host_(*host) {}
  // Stops the hook unless the test has, and destroys it.
  ~FakeRun();
  FakeRun(const FakeRun&) = delete;
  FakeRun& operator=(const FakeRun&) = delete;

  // Init, create, attach and start, with the parameters' defaults filled in. Once. A hook that fails in it is
  // destroyed, and gets no events.
  FakeHost::Result Start(const cosmos_plugin_entry_t& entry, const nlohmann::json& parameters);
  FakeHost::Result OnEvent(const nlohmann::json& event);
  // Closes the logs of all jobs, and stops the hook. Once.
  FakeHost::Result Stop();

  // An event as the engine makes it, about the first attempt of a stage.
  nlohmann::json Event(std::string_view type, std::string_view stage, std::string_view instance = "") const;

  // The log of the job STAGE[.INSTANCE]/ATTEMPT; the run has the job from the first call on. Valid as long as this.
  FakeJobLog& LogOf(const std::string& job);

  // The GPUs of the run's targets. Valid as long as this.
  FakeGpus& gpus() { return gpus_; }

  // The hook's lines in the run's engine log.
  std::vector<FakeHost::LogLine> lines() const;
  // Waits for a line that contains `text`; false when it takes more than a minute.
  bool AwaitLine(std::string_view text) const;

  cosmos_run* run() { return reinterpret_cast<cosmos_run*>(this); }
  // The services for hooks, whose run must be one of this class; null for another id.
  static const void* Service(std::string_view id);

 private:
  struct Services;

  FakeJobLog* Find(cosmos_str job);

  FakeHost& host_;
  const cosmos_plugin_entry_t* entry_ = nullptr;
  void* instance_ = nullptr;
  bool stopped_ = false;
  FakeGpus gpus_;

  mutable std::mutex mutex_;  // guards all below
  mutable std::condition_variable logged_;
  std::map<std::string, FakeJobLog> logs_;
  std::vector<FakeHost::LogLine> lines_;
};

}  // namespace cosmos::sdk::testing

#endif  // COSMOS_SDK_TESTING_FAKE_RUN_H_
