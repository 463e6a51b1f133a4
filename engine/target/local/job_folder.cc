#include "target/local/job_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "core/fd.h"
#include "core/files.h"

namespace cosmos {
namespace fs = std::filesystem;

bool IsForeign(const JobOrder& order) {
  std::error_code error;
  const std::string owner =
      fs::exists(order.folder + "/owner", error) ? ReadOwnFile(order.folder + "/owner", kMaxFact) : "";
  if (!owner.empty()) return owner != order.owner + "\n";
  if (order.resumed || !fs::exists(order.folder + "/pid", error)) return false;
  return ReadOwnFile(order.folder + "/job.sh") != order.script;
}

std::optional<JobState> ReadEnd(const std::string& folder) {
  for (const char* name : {"exit_status", kReservedStatusFile}) {
    const auto file = OpenRegular(folder + "/" + name);
    char text[64];
    const ssize_t n = file ? ::read(file->get(), text, sizeof text) : 0;
    if (n <= 0) continue;
    if (auto end = ParseExitStatus(std::string(text, static_cast<std::size_t>(n)))) return end;
  }
  return std::nullopt;
}

Downloaded PresenceOf(const FileTransfer& file) {
  std::error_code error;
  const fs::path real = fs::canonical(file.remote, error);
  if (error == std::errc::permission_denied) return Downloaded::kUnreadable;
  if (error || !fs::is_regular_file(real, error)) return Downloaded::kMissing;
  if (!file.within.empty()) {
    const fs::path folder = fs::canonical(file.within, error);
    if (std::mismatch(folder.begin(), folder.end(), real.begin(), real.end()).first != folder.end()) {
      return Downloaded::kOutside;
    }
  }
  return ::access(real.c_str(), R_OK) == 0 ? Downloaded::kDone : Downloaded::kUnreadable;
}

}  // namespace cosmos
