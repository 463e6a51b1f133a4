#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "target/ssh/remote_shell.h"
#include "target/target.h"

namespace cosmos {

// A host that is reached by SSH, with nothing installed for the engine: all is done by scripts for its shell
// (remote_scripts.h) over one connection. Thread-safe.
class SshTarget final : public Target {
 public:
  // `workdir` may begin with `~/`; empty: `cosmos-engine` in the home folder. `cancel` must outlive the target, see
  // Target. `observer` gets the connection's changes and may be empty. A `shared_workdir` may be written by others.
  SshTarget(const SshOptions& options, std::string workdir, const CancelToken* cancel, SshConnection::Observer observer,
            bool shared_workdir = false);

  void Reach(Duration longest) override { shell_.Reach(longest); }
  // Throws Error{kInvalidInput} for a folder in which other users could replace files.
  std::string Workdir() override;
  std::string FindWorkdir() override;
  bool IsLocal() const override { return false; }
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

  // The host's key as `SHA256:…`; empty without a connection.
  std::string Fingerprint() { return shell_.connection().fingerprint(); }

 private:
  // A command that tells of a job's end, held open while somebody waits for the job.
  struct Watch {
    std::shared_ptr<SshExchange> exchange;  // null: there is none now
    SteadyTime next_poll{};                 // when to look whatever it says
  };

  std::string AskForWorkdir(bool make);
  std::unique_lock<std::timed_mutex> TransferTurn(const CancelToken& cancel);
  Watch WatchOf(const JobHandle& handle);
  void SetWatch(const std::string& folder, Watch watch);
  void ForgetWatch(const std::string& folder);

  const std::string workdir_option_;
  const bool shared_workdir_;
  RemoteShell shell_;
  std::timed_mutex transfers_;  // held by the one transfer that is under way, so that channels are left for the rest
  std::mutex mutex_;            // guards what follows
  std::string workdir_;         // absolute, once known
  std::map<std::string, Watch> watches_;  // by job folder
};

}  // namespace cosmos
