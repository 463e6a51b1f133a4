#include "job/log_slices.h"

#include <cerrno>
#include <fstream>

#include "core/error.h"
#include "core/files.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

// The slice that begins with this line; nullptr: the line goes on with what is there.
LogSlice* BeginningWith(const std::string& line, std::vector<LogSlice>* slices) {
  for (LogSlice& slice : *slices) {
    if (slice.begun || slice.marker.empty() || line.find(slice.marker) == line.npos) continue;
    return &slice;
  }
  return nullptr;
}

}  // namespace

void SliceLog(const fs::path& log, std::vector<LogSlice>* slices) {
  DemandRegular(log);
  std::ifstream in(log, std::ios::binary);
  if (!in) throw IoError("read", log, errno);
  std::vector<std::ofstream> out;
  for (const LogSlice& slice : *slices) {
    if (slice.path.empty()) {
      out.emplace_back();
      continue;
    }
    MakePrivateFolder(slice.path.parent_path());
    WriteFile(slice.path.string() + ".part", "");
    out.emplace_back(slice.path.string() + ".part", std::ios::binary);
  }
  LogSlice* current = nullptr;
  std::string line;
  while (std::getline(in, line)) {
    if (!in.eof()) line += '\n';
    if (LogSlice* const next = BeginningWith(line, slices); next != nullptr) {
      current = next;
      current->begun = true;
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (out[i].is_open() && (current == nullptr || current == &(*slices)[i])) out[i] << line;
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const fs::path& path = (*slices)[i].path;
    if (path.empty()) continue;
    out[i].close();
    if (!out[i]) throw IoError("write", path, errno);
    fs::rename(path.string() + ".part", path);
  }
}

}  // namespace cosmos
