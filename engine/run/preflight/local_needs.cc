#include "run/preflight/local_needs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cosmos/media_input.hpp>

#include "core/error.h"
#include "media/media_tools.h"
#include "media/video_check.h"
#include "workflow/expression.h"

namespace cosmos {
namespace {

using Severity = PreflightFinding::Severity;

constexpr double kSameShape = 0.02;       // two videos that differ by less still lie upon each other
constexpr double kMostDistortion = 0.10;  // models do take more, but nobody wants to see it

double Shape(const VideoFacts& video) { return static_cast<double>(video.width) / video.height; }

// By how much more one is stretched than the other: 0 for the same shape.
double Difference(double a, double b) { return std::max(a / b, b / a) - 1; }

std::string Pixels(const VideoFacts& video) { return fmt::format("{}x{}", video.width, video.height); }

std::string Name(const StageNeeds::Video& video) { return fmt::format("{} '{}'", video.parameter, video.path); }

PreflightFinding About(const StageNeeds& needs, const StageNeeds::Video& video, Severity severity,
                       const std::string& message, const std::string& hint) {
  return {severity, needs.stage, "", video.parameter, video.path, message, hint};
}

// How `video` differs from `first`, as which it must be.
void Compare(const StageNeeds& needs, const StageNeeds::Video& first, const VideoFacts& wanted,
             const StageNeeds::Video& video, const VideoFacts& found, PreflightFindings* findings) {
  if (found.frames != wanted.frames) {
    findings->push_back(About(
        needs, video, Severity::kError,
        fmt::format("{} has {} frames, expected {} as {} has", Name(video), found.frames, wanted.frames, Name(first)),
        "cut the longer one, such as by ffmpeg's `-frames:v`, or make the shorter one again"));
  }
  if (Difference(Shape(found), Shape(wanted)) > kSameShape) {
    findings->push_back(About(needs, video, Severity::kError,
                              fmt::format("{} has {} pixels, expected the shape of {}, {}", Name(video), Pixels(found),
                                          Name(first), Pixels(wanted)),
                              "make it from the whole picture of the other, or crop both alike"));
  }
}

// Whether the model must distort it.
void Fit(const StageNeeds& needs, const StageNeeds::Video& video, const VideoFacts& found,
         PreflightFindings* findings) {
  const auto difference = [&](const std::array<int, 2>& size) {
    return Difference(Shape(found), static_cast<double>(size[0]) / size[1]);
  };
  // As the models choose: by the difference of the quotients, whatever the distortion.
  const auto distance = [&](const std::array<int, 2>& size) {
    return std::abs(Shape(found) - static_cast<double>(size[0]) / size[1]);
  };
  const auto nearest = std::min_element(needs.sizes.begin(), needs.sizes.end(),
                                        [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
  if (nearest == needs.sizes.end() || difference(*nearest) <= kMostDistortion) return;
  findings->push_back(About(
      needs, video, Severity::kWarning,
      fmt::format("{} has {} pixels, and the model works in {}x{}, the nearest in shape: it distorts the picture by "
                  "{:.0f} %",
                  Name(video), Pixels(found), (*nearest)[0], (*nearest)[1], 100 * difference(*nearest)),
      "crop or pad the videos to that shape beforehand, such as by ffmpeg's `pad`"));
}

}  // namespace

const LocalNeeds::Seen& LocalNeeds::See(const std::string& path) {
  const auto [entry, added] = seen_.try_emplace(path);
  Seen& seen = entry->second;
  if (!added) return seen;
  try {
    seen.facts = ProbeVideo(path, cancel_);
    const VideoCheck check = CheckVideo(path, cancel_);
    if (!check.sound()) {
      seen.finding.message = "it does not decode to its end: " + check.problem;
      seen.finding.hint = "write it again; the message names what ffmpeg cannot decode";
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kUnavailable) seen.finding.severity = Severity::kWarning;
    seen.finding.message = error.message();
    seen.finding.hint = error.code() == ErrorCode::kNotFound ? "correct the path" : error.hint();
  }
  return seen;
}

const std::string& LocalNeeds::ProblemOfTools() {
  if (tools_) return *tools_;
  tools_ = "";
  for (const char* program : {sdk::kFfprobe, sdk::kFfmpeg}) {
    if (tools_->empty()) tools_ = ProblemOfMediaTool(program, cancel_);
  }
  return *tools_;
}

PreflightFindings LocalNeeds::Look(const StageNeeds& needs) {
  PreflightFindings findings;
  const bool of_videos = !needs.videos.empty() || !needs.sizes.empty();
  if (of_videos && !ProblemOfTools().empty()) {
    // Its videos could not be checked, neither before the run nor when they are made.
    findings.push_back(
        {Severity::kError, needs.stage, "", "", "", ProblemOfTools(), "install ffmpeg, or reinstall it"});
    return findings;
  }
  const StageNeeds::Video* first = nullptr;
  const VideoFacts* wanted = nullptr;
  for (const StageNeeds::Video& video : needs.videos) {
    if (HasExpressions(video.path)) {
      findings.push_back(About(needs, video, Severity::kInfo,
                               Name(video) + " is known only when the run is there, and is not looked at", ""));
      continue;
    }
    const Seen& seen = See(video.path);
    if (cancel_.cancelled()) return {};
    if (!seen.finding.message.empty()) {
      findings.push_back(
          About(needs, video, seen.finding.severity, Name(video) + ": " + seen.finding.message, seen.finding.hint));
      continue;
    }
    if (first == nullptr) {
      first = &video;
      wanted = &seen.facts;
      Fit(needs, video, seen.facts, &findings);
    } else if (needs.alike) {
      Compare(needs, *first, *wanted, video, seen.facts, &findings);
    }
  }
  return findings;
}

}  // namespace cosmos
