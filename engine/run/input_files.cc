#include "run/input_files.h"

#include <map>
#include <system_error>

#include "core/error.h"
#include "core/sha256.h"
#include "job/group_collection.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

// An absolute path without a '/' at its end.
fs::path Plain(const fs::path& path) {
  const fs::path normal = fs::absolute(path).lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

// Nothing for one file. A file whose name has such characters is no pattern.
std::optional<FileGroup> GroupOf(const fs::path& plain, const FrameSet& frames, bool gaps) {
  std::error_code error;
  const std::string name = plain.filename();
  if (fs::is_directory(plain, error)) return FileGroup(FileGroup::Kind::kFolder, name, frames, gaps);
  if (fs::exists(plain, error) || !FilePattern::IsPattern(name)) return std::nullopt;
  return FileGroup(FileGroup::KindOf(name), name, frames, gaps);
}

}  // namespace

std::string NameOfInput(const fs::path& path) { return Plain(path).filename(); }

void DemandInput(const fs::path& path) {
  std::error_code error;
  const fs::path plain = Plain(path);
  const auto group = GroupOf(plain, {}, true);
  if (!group && !fs::exists(plain, error)) {
    throw Error(ErrorCode::kInvalidInput, "the input file '" + plain.string() + "' does not exist");
  }
  if (!group || group->deep()) return;
  const LocalFiles found = LocalFilesOf(*group, plain.parent_path());
  if (found.files.empty()) {
    throw Error(ErrorCode::kInvalidInput,
                "the input '" + plain.string() + "' " + group->ProblemOf({}, found.others).message);
  }
}

void CheckInput(const fs::path& path, const FrameSet& frames, bool gaps) {
  DemandInput(path);
  const fs::path plain = Plain(path);
  const auto group = GroupOf(plain, frames, gaps);
  if (!group && !frames.empty()) {
    throw Error(ErrorCode::kInvalidInput, "the input '" + plain.string() + "' has frames, but is one file",
                "expected a path with a place for the frame number, as in frames/beauty.####.exr");
  }
  if (!group) return;
  const LocalFiles found = LocalFilesOf(*group, plain.parent_path());
  const Failure problem = group->ProblemOf(found.files, found.others);
  if (problem) throw Error(ErrorCode::kInvalidInput, "the input '" + plain.string() + "' " + problem.message);
}

InputFiles InputFilesOf(const fs::path& path) {
  InputFiles input;
  const fs::path plain = Plain(path);
  input.name = plain.filename();
  const auto group = GroupOf(plain, {}, true);
  if (!group) {
    input.digest = Sha256OfFile(plain);
    input.files.push_back({plain, "", input.digest});
    return input;
  }
  input.pattern = !group->deep();
  std::map<std::string, std::string> sums;
  for (const auto& [name, size] : LocalFilesOf(*group, plain.parent_path()).files) {
    const fs::path file = plain.parent_path() / group->folder() / name;
    sums[name] = Sha256OfFile(file);
    input.files.push_back({file, name, sums[name]});
  }
  if (sums.empty()) {
    throw Error(ErrorCode::kInvalidInput, "the input folder '" + plain.string() + "' has no files");
  }
  input.digest = Sha256OfSums(sums);
  // A folder of its own, also where a folder has the same files.
  if (input.pattern) input.digest = Sha256("pattern " + input.digest);
  return input;
}

}  // namespace cosmos
