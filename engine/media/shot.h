#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/frame_set.h"
#include "media/frame_sequence.h"
#include "media/shot_finding.h"

namespace cosmos {

// How frames are made into a shot.
struct ShotOptions {
  std::map<std::string, std::string> patterns;  // control -> pattern; instead of looking for one by names
  std::optional<FrameSet> frames;               // of every control; by default all from the first to the last
  bool hold_gaps = false;                       // repeat the frame before one that is missing
};

// The frames of one control. A value.
struct ControlFrames {
  std::string control;
  FrameSequence sequence;
  FrameSet numbers;  // of the frames that the video has

  bool IsExr() const;
  // One file for each of `numbers`: a missing frame has that of the one before it. REQUIRES: the first is there.
  std::vector<std::string> Files() const;
};

// Which frames make which control, and what is wrong with them as far as names tell. A value.
struct Shot {
  std::vector<ControlFrames> controls;  // in the order of ControlNames()
  ShotFindings findings;
};

// Assembles a shot from the files below its folder. Finds everything at once: gaps, strays, empty files, frames that
// one control has and another has not. Nothing is opened. Throws Error{kInvalidInput} for a pattern or a control that
// cannot be.
Shot AssembleShot(const std::vector<ListedFile>& files, const ShotOptions& options);

}  // namespace cosmos
