#include "job/file_group.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "media/frame_sequence.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxName = 255;   // bytes, as file systems take them
constexpr std::size_t kMaxPath = 2048;  // bytes
constexpr std::size_t kMaxShown = 3;    // names in a message
constexpr std::size_t kMaxNameShown = 80;
constexpr const char* kGapsHint = "; if that is meant, give `frames:`, or `gaps: true`";

std::string Shown(std::string_view name) { return Harmless(Excerpt(name, kMaxNameShown)); }

// `a, b, c and 4 more`.
std::string NamesOf(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (const std::string& name : names) {
    if (shown.size() == kMaxShown) break;
    shown.push_back(Shown(name));
  }
  const std::string text = Join(shown, ", ");
  return names.size() > kMaxShown ? text + " and " + std::to_string(names.size() - kMaxShown) + " more" : text;
}

std::vector<std::string> NamesIn(const FileGroup::Sizes& files) {
  std::vector<std::string> names;
  for (const auto& [name, size] : files) names.push_back(name);
  return names;
}

// `frame 7 of 1-9 is missing`, or nothing when none is.
std::string MissingText(const FrameSet& wanted, const FrameSet& there) {
  const FrameSet missing = wanted.Without(there);
  if (missing.empty()) return "";
  const bool one = missing.size() == 1;
  return (one ? "frame " : "frames ") + missing.Excerpt() + " of " + wanted.Excerpt() + (one ? " is" : " are") +
         " missing";
}

// What is missing between the first and the last, in steps; "" when nothing is.
std::string GapsText(const FrameSet& frames, std::int64_t step) {
  const std::int64_t between = (frames.last() - frames.first()) / step;
  if (between >= static_cast<std::int64_t>(FrameSet::kMaxFrames))
    return "only frames " + frames.Excerpt() + " are there";
  std::vector<std::int64_t> all;
  for (std::int64_t frame = frames.first(); frame <= frames.last(); frame += step) all.push_back(frame);
  return MissingText(FrameSet(std::move(all)), frames);
}

// The largest step by which all of them can be reached from the first one.
std::int64_t StepOf(const FrameSet& frames) {
  std::int64_t step = 0;
  for (const std::int64_t frame : frames.frames()) step = std::gcd(step, frame - frames.first());
  return std::max<std::int64_t>(step, 1);
}

std::string Normal(const std::string& path) { return fs::path(path).lexically_normal().string(); }

}  // namespace

std::string NameProblem(std::string_view name) {
  if (name.empty() || name.front() == '/') return "is no name below a folder";
  if (name.size() > kMaxPath) return "is longer than " + std::to_string(kMaxPath) + " bytes";
  if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; })) {
    return "has control characters";
  }
  std::size_t depth = 0;
  for (std::size_t at = 0; at <= name.size(); ++depth) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") return "is no name below a folder";
    if (part.size() > kMaxName) return "has a part longer than " + std::to_string(kMaxName) + " bytes";
    at = end + 1;
  }
  if (depth > FileGroup::kMaxDepth) return "is below more than " + std::to_string(FileGroup::kMaxDepth) + " folders";
  return "";
}

FileGroup::Kind FileGroup::KindOf(std::string_view path) {
  if (!FilePattern::IsPattern(path)) return Kind::kFolder;
  return NumberPlacesIn(path.substr(path.rfind('/') + 1)).empty() ? Kind::kWildcards : Kind::kFrames;
}

FileGroup::FileGroup(Kind kind, const std::string& path, FrameSet frames, bool gaps)
    : kind_(kind), path_(Normal(path)), frames_(std::move(frames)), gaps_(gaps) {
  const std::string found = "found the path '" + Harmless(path) + "' ";
  if (kind_ == Kind::kFolder) {
    if (!path_.empty() && path_.back() == '/') path_.pop_back();
    folder_ = path_;
  } else {
    const FilePattern pattern(path_);
    if (pattern.is_sequence() != (kind_ == Kind::kFrames)) {
      throw Error(ErrorCode::kInvalidInput, found + (pattern.is_sequence() ? "for wildcards" : "for a sequence"),
                  pattern.is_sequence() ? "expected wildcards, as in frames/*.exr, or `kind: frames`"
                                        : "expected a place for the frame number, as in frames/beauty.####.exr");
    }
    folder_ = pattern.folder().substr(0, pattern.folder().rfind('/'));
    pattern_.emplace(path_.substr(path_.rfind('/') + 1));
  }
  const fs::path normal(path_);
  if (std::find(normal.begin(), normal.end(), "..") != normal.end() || path_.empty() || path_ == ".") {
    throw Error(ErrorCode::kInvalidInput, found + "for a group of files",
                "expected a folder below, such as frames/, or a pattern in one, such as frames/*.exr or *.exr");
  }
  if (!frames_.empty() && (kind_ != Kind::kFrames || gaps_)) {
    throw Error(ErrorCode::kInvalidInput,
                found + "with frames " + frames_.Excerpt() + (gaps_ ? " and with `gaps: true`" : ""),
                gaps_ ? "expected one of them" : "expected a sequence, as in frames/beauty.####.exr, or no `frames:`");
  }
}

bool FileGroup::Holds(std::string_view name) const {
  return pattern_ ? name.find('/') == name.npos && pattern_->Matches(name) : true;
}

Failure FileGroup::ProblemOf(const Sizes& files, const Sizes& others) const {
  if (files.empty()) {
    return {FailureKind::kOutputMissing,
            "has no files" + (others.empty() ? std::string("; nothing else is there")
                                             : "; found " + NamesOf(NamesIn(others)) + " there instead")};
  }
  std::vector<std::string> empty;
  for (const auto& [name, size] : files) {
    if (size == 0 && (kind_ != Kind::kFolder || IsPicture(name))) empty.push_back(name);
  }
  if (!empty.empty()) {
    return {FailureKind::kOutputInvalid,
            (empty.size() == 1 ? "has an empty file: " : "has empty files: ") + NamesOf(empty)};
  }
  return kind_ == Kind::kFrames ? SequenceProblem(files) : PictureProblem(files);
}

Failure FileGroup::SequenceProblem(const Sizes& files) const {
  std::map<std::int64_t, std::string> names;
  std::vector<std::int64_t> numbers;
  for (const auto& [name, size] : files) {
    const std::int64_t frame = pattern_->FrameOf(name).value_or(0);
    const auto [first, added] = names.try_emplace(frame, name);
    if (!added) {
      return {FailureKind::kOutputInvalid,
              "has two files for frame " + std::to_string(frame) + ": " + NamesOf({first->second, name})};
    }
    numbers.push_back(frame);
  }
  const FrameSet there(std::move(numbers));
  if (!frames_.empty()) {
    const std::string missing = MissingText(frames_, there);
    return missing.empty() ? Failure() : Failure{FailureKind::kOutputMissing, "is not complete: " + missing};
  }
  const std::string missing = gaps_ ? "" : GapsText(there, 1);
  if (missing.empty()) return {};
  return {FailureKind::kOutputMissing, "is not complete: " + missing + kGapsHint};
}

// Nobody said which sequences there are, nor that each frame is rendered.
Failure FileGroup::PictureProblem(const Sizes& files) const {
  if (gaps_) return {};
  std::vector<ListedFile> listed;
  for (const auto& [name, size] : files) listed.push_back({name, size, 0});
  for (const FrameSequence& sequence : FindSequences(listed).sequences) {
    const FrameSet there = sequence.Numbers();
    const std::string missing = GapsText(there, StepOf(there));
    if (!missing.empty()) {
      return {FailureKind::kOutputMissing, "is not complete: " + missing + " in " + Shown(sequence.Pattern()) +
                                               "; if that is meant, give "
                                               "`gaps: true`"};
    }
  }
  return {};
}

}  // namespace cosmos
