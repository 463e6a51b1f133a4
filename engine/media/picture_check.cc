#include "media/picture_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/frame_set.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr std::size_t kMaxProblems = 4;  // of the pictures of a control

// The size that most pictures have.
std::pair<int, int> UsualSize(const PicturesOfControl& pictures) {
  std::map<std::pair<int, int>, int> count;
  for (const auto& [number, picture] : pictures) {
    if (picture.problem.empty()) ++count[{picture.width, picture.height}];
  }
  const auto most =
      std::max_element(count.begin(), count.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == count.end() ? std::pair(0, 0) : most->first;
}

std::string SizeText(std::pair<int, int> size) { return fmt::format("{}x{}", size.first, size.second); }

void CheckOne(const std::string& control, const PicturesOfControl& pictures, ShotFindings* findings) {
  const std::pair<int, int> usual = UsualSize(pictures);
  std::map<std::pair<std::string, std::string>, std::vector<std::int64_t>> unreadable;  // by problem and hint
  std::vector<std::int64_t> other_size;
  std::pair<int, int> other;
  for (const auto& [number, picture] : pictures) {
    if (!picture.problem.empty()) {
      unreadable[{picture.problem, picture.hint}].push_back(number);
    } else if (std::pair(picture.width, picture.height) != usual) {
      if (other_size.empty()) other = {picture.width, picture.height};
      other_size.push_back(number);
    }
  }
  std::vector<std::int64_t> others;  // whose problems are too many to be listed
  std::size_t listed = 0;
  for (const auto& [problem, frames] : unreadable) {
    if (++listed > kMaxProblems) {
      others.insert(others.end(), frames.begin(), frames.end());
    } else {
      findings->push_back({true, control, fmt::format("{} unreadable: {}", FramesAre(FrameSet(frames)), problem.first),
                           problem.second});
    }
  }
  if (!others.empty()) {
    findings->push_back({true, control, FramesAre(FrameSet(others)) + " unreadable for other reasons", ""});
  }
  if (!other_size.empty()) {
    findings->push_back({true, control,
                         fmt::format("{} of another size: {}, the others {}", FramesAre(FrameSet(other_size)),
                                     SizeText(other), SizeText(usual)),
                         "render all frames in one size"});
  }
}

}  // namespace

ShotFindings CheckPictures(const std::map<std::string, PicturesOfControl>& pictures, bool crop_odd) {
  ShotFindings findings;
  std::map<std::pair<int, int>, std::vector<std::string>> sizes;
  for (const auto& [control, its_pictures] : pictures) {
    CheckOne(control, its_pictures, &findings);
    const std::pair<int, int> size = UsualSize(its_pictures);
    if (size.first > 0) sizes[size].push_back(control);
  }
  std::vector<std::string> parts;
  for (const auto& [size, controls] : sizes) parts.push_back(Join(controls, ", ") + " " + SizeText(size));
  if (sizes.size() > 1) {
    findings.push_back(
        {true, "", "the controls have different sizes: " + Join(parts, "; "), "render all of them in one size"});
  }
  for (const auto& [size, controls] : sizes) {
    if (size.first % 2 == 0 && size.second % 2 == 0) continue;
    const std::pair<int, int> even{size.first / 2 * 2, size.second / 2 * 2};
    const std::string found = fmt::format("the size {} is odd, and a video's must be even", SizeText(size));
    if (even.first == 0 || even.second == 0) {
      findings.push_back({true, Join(controls, ", "), found, "render larger frames"});
    } else if (crop_odd) {
      findings.push_back({false, Join(controls, ", "), fmt::format("{}: cut to {}", found, SizeText(even)), ""});
    } else {
      findings.push_back({true, Join(controls, ", "), found,
                          fmt::format("render an even size, or cut to {} with --crop-odd", SizeText(even))});
    }
  }
  return findings;
}

}  // namespace cosmos
