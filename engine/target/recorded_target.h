#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/status.h"
#include "target/target.h"

namespace cosmos {

// One operation on a target as it went. Valid while it is passed on.
struct TargetOperation {
  WallTime began;
  Duration took{};
  std::string_view target;
  std::string_view name;  // such as "run" or "upload"
  std::string_view what;  // the script, the folder, the first file: as it is, neither cut nor masked
  int exit_status = -1;   // of a script or a job that has ended
  bool timed_out = false;
  FailureKind kind = FailureKind::kNone;  // of the error that it ended with
  std::string_view error;
  bool repeats = false;  // it is asked again and again while a job runs
};

// Where operations are told. Thread-safe.
class TargetRecorder {
 public:
  virtual ~TargetRecorder() = default;
  virtual void Record(const TargetOperation& operation) noexcept = 0;
};

// A target whose every operation goes through one place, which times it, tells the recorder, and names the target in
// the errors of another machine (target_error.h; those of local files are left alone). On this machine what only looks
// at a job is told when it fails: it costs less than telling it. Thread-safe, as what it is around.
class RecordedTarget final : public Target {
 public:
  // `recorder` may be null and must outlive the target; without a `name` errors pass as they are.
  RecordedTarget(std::unique_ptr<Target> target, std::string name, TargetRecorder* recorder);

  Target* inner() const { return target_.get(); }

  void Reach(Duration longest) override;
  std::string Workdir() override;
  std::string FindWorkdir() override;
  bool IsLocal() const override { return local_; }
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
  enum class Rate { kOnce, kRepeats };

  // Does `work`; `note` fills in what it came to.
  template <typename Work, typename Note>
  auto Carry(std::string_view name, Rate rate, std::string_view what, Work work, Note note) -> decltype(work());
  template <typename Work>
  auto Carry(std::string_view name, Rate rate, std::string_view what, Work work) -> decltype(work());
  [[noreturn]] void Tell(TargetOperation* operation, const std::exception& error, SteadyTime begin);
  void Finish(TargetOperation* operation, SteadyTime begin) const;

  const std::unique_ptr<Target> target_;
  const std::string name_;
  TargetRecorder* const recorder_;
  const bool local_;
};

}  // namespace cosmos
