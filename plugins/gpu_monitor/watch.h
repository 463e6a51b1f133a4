#pragma once

#include <chrono>
#include <condition_variable>
#include <cosmos/plugin.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace cosmos::plugins {

// Watches the GPUs of one target on a thread of its own, as long as jobs are there: each gets samples of its own GPUs.
// Thread-safe.
class Watch {
 public:
  // Called with what people should know, each sentence once, on the watch's thread; must not call the watch.
  using Tell = std::function<void(sdk::LogLevel level, const std::string& sentence)>;

  // Throws std::system_error when there is no thread to be had.
  Watch(sdk::Gpus gpus, std::string target, std::chrono::milliseconds interval, Tell tell);
  // Returns once the thread has ended; it may be asking the target just now.
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // A job has begun, on the GPUs of these numbers; empty: on whichever. It gets its first sample at once.
  void Add(const std::string& job, std::set<int> gpus);
  void Remove(const std::string& job);

 private:
  using Jobs = std::map<std::string, std::set<int>>;

  void Work();
  // Asks the target and keeps the jobs' samples. False when there is nothing to be asked, now or later.
  bool Sample(const Jobs& jobs);
  void TellOnce(sdk::LogLevel level, const std::string& sentence);

  const sdk::Gpus gpus_;
  const std::string target_;
  const std::chrono::milliseconds interval_;
  const Tell tell_;
  std::set<std::string> told_;  // of the thread alone, as is the next
  bool described_ = false;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Jobs jobs_;
  bool is_new_ = false;  // a job has come
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cosmos::plugins
