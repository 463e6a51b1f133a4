#include "gpu_monitor/watch.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace cosmos::plugins {
namespace {

using sdk::Json;
using sdk::LogLevel;
using std::chrono::milliseconds;

constexpr auto kLongestAge = milliseconds(2000);

// A text of the object, "" when there is none.
std::string Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || !found->is_string() ? "" : found->get<std::string>();
}

// `2 x NVIDIA H100 80GB HBM3, driver 550.54.15, CUDA 12.4, 3 MIG devices`.
std::string Describe(const Json& reading) {
  std::map<std::string, int> names;
  for (const Json& gpu : reading.at("gpus")) ++names[Text(gpu, "name")];
  std::string text;
  for (const auto& [name, count] : names) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " x " + (name.empty() ? "an unknown GPU" : name);
  }
  if (const std::string driver = Text(reading, "driver"); !driver.empty()) text += ", driver " + driver;
  if (const std::string cuda = Text(reading, "cuda"); !cuda.empty()) text += ", CUDA " + cuda;
  const std::size_t mig = reading.at("mig_devices").size();
  return mig == 0 ? text : text + ", MIG devices: " + std::to_string(mig);
}

Json Chosen(const Json& gpus, const std::set<int>& numbers) {
  Json chosen = Json::array();
  for (const Json& gpu : gpus) {
    if (numbers.empty() || numbers.count(gpu.at("index").get<int>()) > 0) chosen.push_back(gpu);
  }
  return chosen;
}

}  // namespace

Watch::Watch(sdk::Gpus gpus, std::string target, milliseconds interval, Tell tell)
    : gpus_(gpus), target_(std::move(target)), interval_(interval), tell_(std::move(tell)), thread_([this] {
        Work();
      }) {}

Watch::~Watch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watch::Add(const std::string& job, std::set<int> gpus) {
  {
    const std::lock_guard lock(mutex_);
    is_new_ = jobs_.try_emplace(job, std::move(gpus)).second || is_new_;
  }
  changed_.notify_all();
}

void Watch::Remove(const std::string& job) {
  const std::lock_guard lock(mutex_);
  jobs_.erase(job);
}

void Watch::Work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (jobs_.empty()) {
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      continue;
    }
    is_new_ = false;
    const Jobs jobs = jobs_;
    lock.unlock();
    const bool goes_on = Sample(jobs);
    lock.lock();
    if (!goes_on) return;
    changed_.wait_for(lock, interval_, [this] { return stopping_ || is_new_; });
  }
}

bool Watch::Sample(const Jobs& jobs) {
  try {
    const Json reading = gpus_.Read(target_, std::min(interval_ / 2, kLongestAge), !described_);
    if (!reading.at("present").get<bool>()) {
      TellOnce(LogLevel::kInfo, "target '" + target_ + "' has no nvidia-smi; its GPUs are not watched");
      return false;
    }
    const std::string problem = Text(reading, "problem");
    if (!problem.empty()) TellOnce(LogLevel::kWarning, "target '" + target_ + "': " + problem);
    if (!described_ && problem.empty()) TellOnce(LogLevel::kInfo, "target '" + target_ + "': " + Describe(reading));
    described_ = described_ || problem.empty();
    for (const auto& [job, numbers] : jobs) {
      const Json chosen = Chosen(reading.at("gpus"), numbers);
      if (!chosen.empty()) gpus_.Keep(job, target_, chosen);
    }
  } catch (const std::exception& error) {
    TellOnce(LogLevel::kWarning, "target '" + target_ + "': its GPUs cannot be watched now: " + error.what());
  }
  return true;
}

void Watch::TellOnce(LogLevel level, const std::string& sentence) {
  if (told_.insert(sentence).second) tell_(level, sentence);
}

}  // namespace cosmos::plugins
