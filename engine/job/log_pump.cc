#include "job/log_pump.h"

#include <unistd.h>

#include <system_error>
#include <utility>

#include "core/files.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kPiece = 1 << 18;

// Gives the job's log a second name. False where the file system has no hard links or the two lie on different ones.
bool Link(const std::string& log, const fs::path& local) {
  if (::link(log.c_str(), local.c_str()) == 0) return true;
  std::error_code error;
  if (errno == EEXIST && fs::equivalent(log, local, error)) return true;
  fs::remove(local, error);
  return ::link(log.c_str(), local.c_str()) == 0;
}

}  // namespace

LogPump::LogPump(Target* target, const JobHandle& handle, const fs::path& local, const Masker* masker,
                 Listener listener)
    : target_(target),
      handle_(handle),
      local_(local),
      masker_(masker),
      listener_(std::move(listener)),
      stream_masker_(masker) {
  MakeFolders(local.parent_path());
  linked_ = target->IsLocal() && masker->empty() && Link(handle.folder + "/run.log", local);
  if (!linked_) WriteFile(local, "");
}

void LogPump::Pump() {
  if (!needed()) return;
  for (;;) {
    const LogPiece piece = target_->ReadLog(handle_, offset_, kPiece);
    if (piece.bytes.empty()) return;
    offset_ += static_cast<std::int64_t>(piece.bytes.size());
    PassOn(masker_->empty() ? piece.bytes : stream_masker_.Add(piece.bytes));
  }
}

std::int64_t LogPump::Finish() {
  Pump();
  PassOn(stream_masker_.Finish());
  // The raw log, with whatever secrets the job printed, does not outlive the job.
  if (!masker_->empty() && target_->IsLocal()) LinkOrCopy(local_, handle_.folder + "/run.log");
  std::error_code error;
  return static_cast<std::int64_t>(fs::file_size(local_, error));
}

void LogPump::PassOn(std::string_view bytes) {
  if (bytes.empty()) return;
  if (!linked_) AppendToFile(local_, bytes);
  if (listener_) listener_(bytes);
}

}  // namespace cosmos
