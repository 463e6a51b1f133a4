#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/file_pattern.h"
#include "core/frame_set.h"
#include "core/status.h"

namespace cosmos {

// Files that are one output, or one input, by a path: all files of a folder and of those below it (`frames/`), or the
// files of a folder that match a pattern (core/file_pattern.h). Knows what must be true of them; touches no file. A
// value.
class FileGroup {
 public:
  enum class Kind { kFolder, kWildcards, kFrames };
  using Sizes = std::map<std::string, std::int64_t>;  // in bytes, by name below the folder

  static constexpr std::size_t kMaxFiles = 100'000;
  static constexpr std::size_t kMaxDepth = 32;  // folders on the way to a file

  // `frames` are those that a sequence must have; empty: all from its first to its last, unless there may be `gaps`.
  // Throws Error{kInvalidInput} when the path is not of that kind, leaves its folder by `..`, or names the folder
  // itself that it is relative to, and for frames that nothing can have.
  FileGroup(Kind kind, const std::string& path, FrameSet frames = {}, bool gaps = false);
  // What the path says by itself: a folder, unless its name is a pattern.
  static Kind KindOf(std::string_view path);

  // In its normal form: `frames`, `frames/*.exr`.
  const std::string& path() const { return path_; }
  // Of the files, without a '/' at the end; empty: the one that the path is relative to.
  const std::string& folder() const { return folder_; }
  // Whether files below further folders belong to it.
  bool deep() const { return kind_ == Kind::kFolder; }
  // Whether a file of the folder, by its name, belongs to it.
  bool Holds(std::string_view name) const;

  // What is wrong with these files when they are all that there are: output_missing or output_invalid, with a clause
  // such as `has no files`. `others`: what else is in the folder, by name.
  Failure ProblemOf(const Sizes& files, const Sizes& others = {}) const;

 private:
  Failure SequenceProblem(const Sizes& files) const;
  Failure PictureProblem(const Sizes& files) const;

  Kind kind_;
  std::string path_;
  std::string folder_;
  std::optional<FilePattern> pattern_;  // of the name
  FrameSet frames_;
  bool gaps_;
};

// What forbids to make a file of this name below a folder: `..`, an absolute path, control characters and the like. A
// clause; "" when nothing does.
std::string NameProblem(std::string_view name);

}  // namespace cosmos
