#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/files.h"
#include "core/masker.h"
#include "job/fake_target.h"
#include "job/job_log.h"

namespace cosmos {

inline constexpr const char* kBeginsAnew =
    "[cosmos-engine] the log was truncated or replaced on its target; here it begins anew\n";

inline void Await(const std::string& what, const std::function<bool()>& holds) {
  for (int i = 0; i < 60000; ++i) {
    if (holds()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  FAIL() << "in two minutes there was no " << what;
}

inline int Count(const std::string& text, const std::string& what) {
  int count = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// The log of a job on a host that is only pretended.
class JobLogTest : public ::testing::Test {
 protected:
  JobLogTest() {
    char name[] = "/tmp/cosmos-joblog-XXXXXX";
    root_ = ::mkdtemp(name);
    path_ = root_ / "logs/run.log";
  }
  ~JobLogTest() override {
    log_.reset();
    std::filesystem::remove_all(root_);
  }

  // As an engine that begins to wait for the job, after `local` was left by another one.
  JobLog& Open(bool with_listener = false) {
    JobLog::Order order;
    order.target = &target_;
    order.handle.folder = "/jobs/1";
    order.local = path_;
    order.max_bytes = max_bytes_;
    order.masker = &masker_;
    if (with_listener) order.listener = [this](std::string_view bytes) { heard_ += bytes; };
    order.on_grown = [this](std::int64_t size) {
      const std::lock_guard lock(mutex_);
      grown_ = size;
    };
    order.on_trouble = [this](const std::string& text) {
      if (on_trouble_) on_trouble_();
      const std::lock_guard lock(mutex_);
      troubles_.push_back(text);
    };
    log_ = std::make_unique<JobLog>(std::move(order));
    return *log_;
  }
  void LeaveLocal(const std::string& text) const {
    MakeFolders(path_.parent_path());
    WriteFile(path_, text);
  }
  std::string Local() const { return ReadFile(path_); }
  std::vector<std::string> troubles() {
    const std::lock_guard lock(mutex_);
    return troubles_;
  }
  std::int64_t grown() {
    const std::lock_guard lock(mutex_);
    return grown_;
  }

  // As a hook: brings what there is now by Read and Append, in pieces of `limit`.
  void Bring(std::size_t limit = 1000) const {
    for (bool more = true; more;) {
      const std::int64_t position = log_->Position();
      const auto bytes = position < 0 ? std::nullopt : log_->Read(position, limit);
      more = bytes && !bytes->empty();
      if (more) log_->Append(position, *bytes);
    }
  }
  // As a hook: follows and appends until the log is closed.
  void FollowToTheEnd() const {
    for (std::int64_t position = 0; (position = log_->Position()) >= 0;) FollowOnce(position);
  }
  FollowEnd FollowOnce(std::int64_t position) const {
    return log_->Follow(position, [&](std::int64_t at, std::string_view bytes) {
      log_->Append(at, bytes);
      return true;
    });
  }

  std::filesystem::path root_;
  std::filesystem::path path_;
  FakeTarget target_;
  Masker masker_;
  std::int64_t max_bytes_ = 1 << 30;
  std::string heard_;                 // by the listener, on the thread that pumps
  std::function<void()> on_trouble_;  // set before Open
  std::unique_ptr<JobLog> log_;

 private:
  std::mutex mutex_;  // guards what follows
  std::vector<std::string> troubles_;
  std::int64_t grown_ = -1;
};

}  // namespace cosmos
