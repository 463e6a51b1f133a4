#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "target/target.h"

namespace cosmos {

// The machine the engine runs on. Thread-safe.
class LocalTarget final : public Target {
 public:
  // `workdir` is the folder that jobs work in; empty: the current folder of this moment.
  explicit LocalTarget(const std::string& workdir = "");

  void Reach(Duration longest) override;
  std::string Workdir() override { return workdir_; }
  bool IsLocal() const override { return true; }
  TargetOutput Run(const std::string& script, Duration longest) override;
  Submission Submit(const JobOrder& order) override;
  std::optional<JobHandle> Find(const std::string& folder) override;
  JobState Poll(const JobHandle& handle) override;
  JobState Wait(const JobHandle& handle, const CancelToken& cancel, Duration longest) override;
  bool Cancel(const JobHandle& handle, Duration grace) override;
  LogPiece ReadLog(const JobHandle& handle, std::int64_t offset, std::size_t limit) override;
  FollowEnd FollowLog(const JobHandle& handle, std::int64_t offset, const CancelToken& stop,
                      const BytesListener& on_bytes) override;
  LogDigest DigestOfLog(const JobHandle& handle, std::int64_t size) override;
  FolderListing List(const std::string& folder, const std::string& within, bool deep) override;
  void Upload(const std::vector<FileTransfer>& files, const std::string& owner, const CancelToken& cancel,
              const TransferListener& listener) override;
  std::vector<Downloaded> Download(const std::vector<FileTransfer>& files, const CancelToken& cancel,
                                   const TransferListener& listener) override;

 private:
  pid_t Start(const JobOrder& order);
  // As far as boot IDs tell.
  bool WasRestarted(const JobHandle& handle) const;
  // Waits for a second start of a job, which ends at once.
  void ReapLoser(pid_t pid);
  // Takes the exit of a job that this process started from the kernel, if it has ended, so that no zombie stays.
  void Reap(pid_t pid);

  const std::string workdir_;
  const std::string boot_id_;
  std::mutex mutex_;          // guards children_
  std::set<pid_t> children_;  // jobs that this process started and that were not yet reaped
};

}  // namespace cosmos
