#include "media/shot.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "core/text.h"
#include "media/control_names.h"

namespace cosmos {
namespace {

constexpr std::size_t kMostNames = 5;  // in a message

std::string List(const std::vector<std::string>& names) {
  std::vector<std::string> shown(names.begin(), names.begin() + std::min(names.size(), kMostNames));
  if (shown.size() < names.size()) shown.push_back(fmt::format("… ({} in all)", names.size()));
  return Join(shown, ", ");
}

// Finds which sequence is which control.
class Assembler {
 public:
  Assembler(const std::vector<ListedFile>& files, const ShotOptions& options)
      : files_(files), options_(options), found_(FindSequences(files)) {}

  Shot Assemble() {
    TakePatterns();
    TakeNames();
    TellOfOthers();
    if (chosen_.empty() && !HasErrors(shot_.findings)) {
      Error("", "found no control among the frames",
            fmt::format("name sequences or their folders after what they are ({}), or say it with --map "
                        "CONTROL=PATTERN",
                        Join(ControlNames(), ", ")));
    }
    for (const std::string& control : ControlNames()) {
      const auto sequence = chosen_.find(control);
      if (sequence != chosen_.end()) CheckFrames(control, sequence->second);
    }
    if (!options_.frames) CompareNumbers();
    return std::move(shot_);
  }

 private:
  void Error(const std::string& control, std::string message, std::string hint = "") {
    shot_.findings.push_back({true, control, std::move(message), std::move(hint)});
  }
  void Warn(const std::string& control, std::string message, std::string hint = "") {
    shot_.findings.push_back({false, control, std::move(message), std::move(hint)});
  }

  void TakePatterns() {
    for (const auto& [control, pattern] : options_.patterns) {
      const std::vector<std::string>& names = ControlNames();
      if (std::find(names.begin(), names.end(), control) == names.end()) {
        throw cosmos::Error(ErrorCode::kInvalidInput, "there is no control '" + control + "'",
                            Suggestion(control, names));
      }
      if (auto sequence = FindByPattern(pattern, files_)) {
        chosen_[control] = std::move(*sequence);
      } else {
        std::vector<std::string> patterns;
        for (const FrameSequence& known : found_.sequences) patterns.push_back(known.Pattern());
        Error(control, "no file matches the pattern '" + pattern + "'", Suggestion(pattern, patterns));
      }
    }
  }

  bool IsTaken(const FrameSequence& sequence) const {
    return std::any_of(chosen_.begin(), chosen_.end(),
                       [&](const auto& chosen) { return IsSame(chosen.second, sequence); });
  }

  void TakeNames() {
    std::map<std::string, std::vector<const FrameSequence*>> candidates;
    for (const FrameSequence& sequence : found_.sequences) {
      if (IsTaken(sequence)) continue;
      const std::string shown = fmt::format("{} ({})", sequence.Pattern(), sequence.Numbers().Excerpt());
      const std::vector<std::string> controls = ControlsNamedBy(sequence.Pattern());
      if (controls.empty()) {
        Warn("", shown + " is of no control and left out",
             "to use it, add --map CONTROL=" + ShellQuote(sequence.Pattern()));
      } else if (controls.size() > 1) {
        Warn("", fmt::format("{} is left out: its name says both {}", shown, Join(controls, " and ")),
             fmt::format("say what it is: --map {}={}", controls[0], ShellQuote(sequence.Pattern())));
      } else if (options_.patterns.contains(controls[0])) {
        Warn(controls[0], fmt::format("{} is left out: --map names another sequence", shown));
      } else {
        candidates[controls[0]].push_back(&sequence);
      }
    }
    for (auto& [control, sequences] : candidates) Choose(control, std::move(sequences));
  }

  void Choose(const std::string& control, std::vector<const FrameSequence*> sequences) {
    // A single picture beside frames of the same name, such as a preview, does not compete with them.
    const auto is_stray = [&](const FrameSequence* one) {
      return one->frames.size() == 1 &&
             std::any_of(sequences.begin(), sequences.end(), [&](const FrameSequence* other) {
               return other->prefix == one->prefix && other->frames.size() > 1;
             });
    };
    std::vector<const FrameSequence*> left;
    for (const FrameSequence* sequence : sequences) {
      if (is_stray(sequence)) {
        Warn(control, fmt::format("{} stands alone among frames of another kind and is left out",
                                  sequence->frames.begin()->second.path));
      } else {
        left.push_back(sequence);
      }
    }
    chosen_[control] = *left[0];
    if (left.size() == 1) return;
    std::vector<std::string> patterns;
    for (const FrameSequence* sequence : left) {
      patterns.push_back(fmt::format("{} ({})", sequence->Pattern(), sequence->Numbers().Excerpt()));
    }
    Error(control, fmt::format("found {} sequences: {}", left.size(), Join(patterns, ", ")),
          fmt::format("say which one: --map {}={}", control, ShellQuote(left[0]->Pattern())));
    chosen_.erase(control);
  }

  void TellOfOthers() {
    if (!found_.others.empty()) Warn("", "pictures without a frame number are left out: " + List(found_.others));
  }

  // From the first to the last frame of a sequence. A frame at either end that is far from all others is left out and
  // reported.
  FrameSet NumbersOf(const std::string& control, const FrameSequence& sequence) {
    const std::int64_t first = sequence.frames.begin()->first, last = sequence.frames.rbegin()->first;
    if (sequence.frames.size() < 3) return FrameSet::Range(first, last);
    const auto others = static_cast<std::int64_t>(sequence.frames.size()) - 1;
    const std::int64_t second = std::next(sequence.frames.begin())->first;
    const std::int64_t last_but_one = std::next(sequence.frames.rbegin())->first;
    const FrameSet numbers = FrameSet::Range(second - first - 1 > others ? second : first,
                                             last - last_but_one - 1 > others ? last_but_one : last);
    for (const std::int64_t stray : {first, last}) {
      if (numbers.Contains(stray)) continue;
      Error(control,
            fmt::format("frame {} stands alone, far from the others ({}): {}", stray, numbers.Excerpt(),
                        sequence.frames.at(stray).path),
            fmt::format("remove it, or take only --frames {}", numbers.ToString()));
    }
    return numbers;
  }

  void CheckFrames(const std::string& control, const FrameSequence& sequence) {
    ControlFrames frames{control, sequence, options_.frames ? *options_.frames : NumbersOf(control, sequence)};
    if (!sequence.duplicates.empty()) {
      Error(control, "frames are there twice, with and without zeros in front: " + List(sequence.duplicates),
            "remove one of each");
    }
    CheckMissing(frames);
    std::vector<std::int64_t> empty;
    for (const auto& [number, file] : sequence.frames) {
      if (frames.numbers.Contains(number) && file.size == 0) empty.push_back(number);
    }
    if (!empty.empty()) {
      Error(control, fmt::format("{} empty (0 bytes) in {}", FramesAre(FrameSet(empty)), sequence.Pattern()),
            "render them again");
    }
    shot_.controls.push_back(std::move(frames));
  }

  void CheckMissing(const ControlFrames& frames) {
    const FrameSet there = frames.sequence.Numbers();
    const FrameSet missing = frames.numbers.Without(there);
    if (missing.empty()) return;
    // A gap has a frame on either side; what is missing at an end is more than that.
    const bool gaps = there.Contains(frames.numbers.first()) && there.Contains(frames.numbers.last());
    if (options_.hold_gaps && gaps) {
      return Warn(frames.control, fmt::format("{} missing: the one before is repeated", FramesAre(missing)));
    }
    const std::string all = there.ToString();
    const bool is_regular = all.find(',') == all.npos;  // such as every second one
    Error(frames.control,
          fmt::format("{} missing in {} ({})", FramesAre(missing), frames.sequence.Pattern(), frames.numbers.Excerpt()),
          !gaps        ? "render them, or take frames that are there with --frames, such as 1001-1100 or 1-100x2"
          : is_regular ? "render them, repeat the frame before each gap with --allow-gaps hold, or take what is there: "
                         "--frames " +
                             all
                       : "render them, or repeat the frame before each gap with --allow-gaps hold");
  }

  void CompareNumbers() {
    if (shot_.controls.empty()) return;
    FrameSet common = shot_.controls[0].numbers;
    bool equal = true;
    std::vector<std::string> parts;
    for (const ControlFrames& control : shot_.controls) {
      equal = equal && control.numbers == shot_.controls[0].numbers;
      common = common.Without(common.Without(control.numbers));
      parts.push_back(
          fmt::format("{} {} ({} frames)", control.control, control.numbers.Excerpt(), control.numbers.size()));
    }
    if (equal) return;
    Error("", "the controls have different frames: " + Join(parts, ", "),
          common.empty() ? "number the frames of all controls alike"
                         : "render what is missing, or take what all have: --frames " + common.ToString());
  }

  const std::vector<ListedFile>& files_;
  const ShotOptions& options_;
  const FoundFrames found_;
  std::map<std::string, FrameSequence> chosen_;
  Shot shot_;
};

}  // namespace

bool ControlFrames::IsExr() const { return sequence.suffix.ends_with(".exr") || sequence.suffix.ends_with(".EXR"); }

std::vector<std::string> ControlFrames::Files() const {
  std::vector<std::string> files;
  for (const std::int64_t number : numbers.frames()) {
    files.push_back(std::prev(sequence.frames.upper_bound(number))->second.path);
  }
  return files;
}

Shot AssembleShot(const std::vector<ListedFile>& files, const ShotOptions& options) {
  return Assembler(files, options).Assemble();
}

}  // namespace cosmos
