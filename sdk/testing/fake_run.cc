// SPDX-License-Identifier: BSL-1.0
#include "testing/fake_run.h"

#include <algorithm>
#include <chrono>
#include <cosmos/text.hpp>
#include <utility>

namespace cosmos::sdk::testing {

// The services of the C ABI. The run is the fake itself; a job that it does not know has a closed log.
struct FakeRun::Services {
  static FakeRun& Self(cosmos_run* run) { return *reinterpret_cast<FakeRun*>(run); }

  static void Log(cosmos_run* run, std::int32_t level, cosmos_str text) {
    const std::lock_guard lock(Self(run).mutex_);
    Self(run).lines_.push_back({level, std::string(FromC(text))});
    Self(run).logged_.notify_all();
  }

  static cosmos_status ReadGpus(cosmos_run* run, cosmos_str target, std::int64_t, std::int32_t details,
                                cosmos_sink reading, cosmos_sink error) {
    std::string reason;
    const std::string text = Self(run).gpus_.Read(std::string(FromC(target)), details != 0, &reason);
    Write(text.empty() ? error : reading, text.empty() ? reason : text);
    return text.empty() ? COSMOS_ERROR : COSMOS_OK;
  }

  static cosmos_status KeepGpus(cosmos_run* run, cosmos_str job, cosmos_str target, cosmos_str gpus, cosmos_sink) {
    Self(run).gpus_.Keep({std::string(FromC(job)), std::string(FromC(target)), Json::parse(FromC(gpus))});
    return COSMOS_OK;
  }

  static std::int64_t Position(cosmos_run* run, cosmos_str job) {
    const FakeJobLog* log = Self(run).Find(job);
    return log == nullptr ? -1 : log->Position();
  }

  static cosmos_status Read(cosmos_run* run, cosmos_str job, std::int64_t position, std::size_t limit,
                            cosmos_sink bytes, cosmos_sink error) {
    FakeJobLog* log = Self(run).Find(job);
    return log == nullptr ? COSMOS_CANCELLED : log->Read(position, limit, bytes, error);
  }

  static cosmos_status Follow(cosmos_run* run, cosmos_str job, std::int64_t position,
                              std::int32_t (*on_bytes)(void*, std::int64_t, cosmos_str), void* self, cosmos_sink) {
    FakeJobLog* log = Self(run).Find(job);
    return log == nullptr ? COSMOS_CANCELLED : log->Follow(position, on_bytes, self);
  }

  static cosmos_status Append(cosmos_run* run, cosmos_str job, std::int64_t position, cosmos_str bytes,
                              cosmos_sink error) {
    FakeJobLog* log = Self(run).Find(job);
    return log == nullptr ? COSMOS_OK : log->Append(position, FromC(bytes), error);
  }

  static std::int32_t Wait(cosmos_run* run, cosmos_str job, std::int64_t milliseconds) {
    FakeJobLog* log = Self(run).Find(job);
    return log == nullptr || log->Wait(milliseconds) ? 1 : 0;
  }
};

const void* FakeRun::Service(std::string_view id) {
  static constexpr cosmos_run_1 kRun = {sizeof(kRun), &Services::Log};
  static constexpr cosmos_job_log_1 kJobLog = {sizeof(kJobLog),   &Services::Position, &Services::Read,
                                               &Services::Follow, &Services::Append,   &Services::Wait};
  static constexpr cosmos_gpu_1 kGpu = {sizeof(kGpu), &Services::ReadGpus, &Services::KeepGpus};
  if (id == "cosmos.run/1") return &kRun;
  if (id == "cosmos.gpu/1") return &kGpu;
  if (id == "cosmos.job_log/1") return &kJobLog;
  return nullptr;
}

FakeRun::~FakeRun() {
  if (instance_ == nullptr) return;
  if (!stopped_) Stop();
  entry_->destroy(instance_);
}

FakeHost::Result FakeRun::Start(const cosmos_plugin_entry_t& entry, const Json& parameters) {
  FakeHost::Result started = host_.Init(entry);
  if (started.status != COSMOS_OK) return started;
  entry_ = &entry;
  TextSink error;
  instance_ = entry.create(error.sink());
  if (instance_ == nullptr) return {COSMOS_ERROR, nullptr, error.text()};
  const std::string context = host_.context.dump();
  const std::string complete = Completed(entry, parameters).dump();
  cosmos_status status = entry.attach(instance_, run(), error.sink());
  if (status == COSMOS_OK) status = entry.start(instance_, ToC(context), ToC(complete), error.sink());
  if (status != COSMOS_OK) entry.destroy(std::exchange(instance_, nullptr));
  return {status, nullptr, error.text()};
}

FakeHost::Result FakeRun::OnEvent(const Json& event) {
  TextSink error;
  const std::string text = event.dump();
  const cosmos_status status = entry_->on_event(instance_, ToC(text), error.sink());
  return {status, nullptr, error.text()};
}

FakeHost::Result FakeRun::Stop() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& [job, log] : logs_) log.Close();
  }
  TextSink error;
  const cosmos_status status = entry_->stop(instance_, error.sink());
  stopped_ = true;
  return {status, nullptr, error.text()};
}

Json FakeRun::Event(std::string_view type, std::string_view stage, std::string_view instance) const {
  return {{"v", 1},
          {"seq", 1},
          {"run_id", host_.context.at("run_id")},
          {"stage", stage},
          {"type", type},
          {"data", Json::object()},
          {"attempt", 1},
          {"instance", instance}};
}

FakeJobLog& FakeRun::LogOf(const std::string& job) {
  const std::lock_guard lock(mutex_);
  return logs_[job];
}

FakeJobLog* FakeRun::Find(cosmos_str job) {
  const std::lock_guard lock(mutex_);
  const auto found = logs_.find(std::string(FromC(job)));
  return found == logs_.end() ? nullptr : &found->second;
}

std::vector<FakeHost::LogLine> FakeRun::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

bool FakeRun::AwaitLine(std::string_view text) const {
  std::unique_lock lock(mutex_);
  return logged_.wait_for(lock, std::chrono::minutes(1), [&] {
    return std::any_of(lines_.begin(), lines_.end(),
                       [&](const FakeHost::LogLine& line) { return line.text.find(text) != std::string::npos; });
  });
}

}  // namespace cosmos::sdk::testing
