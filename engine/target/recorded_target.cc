#include "target/recorded_target.h"

#include <type_traits>
#include <utility>

#include "target/target_error.h"

namespace cosmos {
namespace {

SteadyTime Now() { return std::chrono::steady_clock::now(); }

// `FILE` or `FILE and 2 more`.
std::string Names(const std::vector<FileTransfer>& files) {
  if (files.empty()) return "no files";
  return files[0].remote + (files.size() == 1 ? "" : " and " + std::to_string(files.size() - 1) + " more");
}

void NoteState(const JobState& state, TargetOperation* operation) { operation->exit_status = state.exit_status; }

}  // namespace

RecordedTarget::RecordedTarget(std::unique_ptr<Target> target, std::string name, TargetRecorder* recorder)
    : target_(std::move(target)), name_(std::move(name)), recorder_(recorder), local_(target_->IsLocal()) {}

template <typename Work, typename Note>
auto RecordedTarget::Carry(std::string_view name, Rate rate, std::string_view what, Work work, Note note)
    -> decltype(work()) {
  TargetOperation operation;
  operation.began = std::chrono::system_clock::now();
  operation.target = name_;
  operation.name = name;
  operation.what = what;
  operation.repeats = rate == Rate::kRepeats;
  const SteadyTime begin = Now();
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      Finish(&operation, begin);
    } else {
      auto result = work();
      note(result, &operation);
      Finish(&operation, begin);
      return result;
    }
  } catch (const std::exception& error) {
    Tell(&operation, error, begin);
  }
}

template <typename Work>
auto RecordedTarget::Carry(std::string_view name, Rate rate, std::string_view what, Work work) -> decltype(work()) {
  return Carry(name, rate, what, std::move(work), [](const auto&, TargetOperation*) {});
}

void RecordedTarget::Finish(TargetOperation* operation, SteadyTime begin) const {
  if (recorder_ == nullptr || (local_ && operation->repeats)) return;
  operation->took = Now() - begin;
  recorder_->Record(*operation);
}

void RecordedTarget::Tell(TargetOperation* operation, const std::exception& error, SteadyTime begin) {
  operation->took = Now() - begin;
  operation->kind = KindOf(error);
  operation->error = error.what();
  if (recorder_ != nullptr) recorder_->Record(*operation);
  const auto* const own = dynamic_cast<const Error*>(&error);
  const bool of_host = own != nullptr && !local_ && own->code() != ErrorCode::kIo;
  if (of_host && !name_.empty()) throw OfTarget(name_, *own);
  throw;  // the exception being handled where this is called
}

void RecordedTarget::Reach(Duration longest) {
  Carry("reach", Rate::kOnce, "", [&] { target_->Reach(longest); });
}

std::string RecordedTarget::FindWorkdir() {
  return Carry("workdir", Rate::kRepeats, "", [&] { return target_->FindWorkdir(); });
}

std::string RecordedTarget::Workdir() {
  return Carry("workdir", Rate::kRepeats, "", [&] { return target_->Workdir(); });
}

TargetOutput RecordedTarget::Run(const std::string& script, Duration longest) {
  return Carry(
      "run", Rate::kOnce, script, [&] { return target_->Run(script, longest); },
      [](const TargetOutput& output, TargetOperation* operation) {
        operation->exit_status = output.exit_status;
        operation->timed_out = output.timed_out;
      });
}

Submission RecordedTarget::Submit(const JobOrder& order) {
  return Carry("submit", Rate::kOnce, order.folder, [&] { return target_->Submit(order); });
}

std::optional<JobHandle> RecordedTarget::Find(const std::string& folder) {
  return Carry("find", Rate::kRepeats, folder, [&] { return target_->Find(folder); });
}

JobState RecordedTarget::Poll(const JobHandle& handle) {
  return Carry(
      "poll", Rate::kRepeats, handle.folder, [&] { return target_->Poll(handle); }, NoteState);
}

JobState RecordedTarget::Wait(const JobHandle& handle, const CancelToken& cancel, Duration longest) {
  return Carry(
      "wait", Rate::kRepeats, handle.folder, [&] { return target_->Wait(handle, cancel, longest); }, NoteState);
}

bool RecordedTarget::Cancel(const JobHandle& handle, Duration grace) {
  return Carry("cancel", Rate::kRepeats, handle.folder, [&] { return target_->Cancel(handle, grace); });
}

LogPiece RecordedTarget::ReadLog(const JobHandle& handle, std::int64_t offset, std::size_t limit) {
  return Carry("read_log", Rate::kRepeats, handle.folder, [&] { return target_->ReadLog(handle, offset, limit); });
}

FollowEnd RecordedTarget::FollowLog(const JobHandle& handle, std::int64_t offset, const CancelToken& stop,
                                    const BytesListener& on_bytes) {
  return Carry("follow_log", Rate::kRepeats, handle.folder,
               [&] { return target_->FollowLog(handle, offset, stop, on_bytes); });
}

LogDigest RecordedTarget::DigestOfLog(const JobHandle& handle, std::int64_t size) {
  return Carry("digest_of_log", Rate::kRepeats, handle.folder, [&] { return target_->DigestOfLog(handle, size); });
}

FolderListing RecordedTarget::List(const std::string& folder, const std::string& within, bool deep) {
  return Carry("list", Rate::kOnce, folder, [&] { return target_->List(folder, within, deep); });
}

void RecordedTarget::Upload(const std::vector<FileTransfer>& files, const std::string& owner, const CancelToken& cancel,
                            const TransferListener& listener) {
  Carry("upload", Rate::kOnce, Names(files), [&] { target_->Upload(files, owner, cancel, listener); });
}

std::vector<Downloaded> RecordedTarget::Download(const std::vector<FileTransfer>& files, const CancelToken& cancel,
                                                 const TransferListener& listener) {
  return Carry("download", Rate::kOnce, Names(files), [&] { return target_->Download(files, cancel, listener); });
}

}  // namespace cosmos
