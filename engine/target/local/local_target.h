#pragma once

#include <mutex>
#include <set>
#include <string>

#include "target/target.h"

namespace cosmos {

// The machine the engine runs on. Thread-safe.
class LocalTarget final : public Target {
 public:
  LocalTarget();

  Submission Submit(const JobOrder& order) override;
  std::optional<JobHandle> Find(const std::string& folder) override;
  bool IsLocal() const override { return true; }
  JobState Poll(const JobHandle& handle) override;
  JobState Wait(const JobHandle& handle, const CancelToken& cancel, Duration longest) override;
  bool Cancel(const JobHandle& handle, Duration grace) override;
  LogPiece ReadLog(const JobHandle& handle, std::int64_t offset, std::size_t limit) override;
  bool HasFile(const std::string& path) override;
  void Download(const std::string& path, const std::filesystem::path& local) override;

 private:
  pid_t Start(const JobOrder& order);
  // Waits for a second start of a job, which ends at once.
  void ReapLoser(pid_t pid);
  // Takes the exit of a job that this process started from the kernel, if it has ended, so that no zombie stays.
  void Reap(pid_t pid);

  const std::string boot_id_;
  std::mutex mutex_;          // guards children_
  std::set<pid_t> children_;  // jobs that this process started and that were not yet reaped
};

}  // namespace cosmos
