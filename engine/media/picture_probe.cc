#include "media/picture_probe.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cosmos/media_input.hpp>
#include <cstdio>
#include <cstring>

#include "core/error.h"
#include "media/exr_picture.h"
#include "media/frame_links.h"
#include "media/media_process.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void ThrowCancelled() { throw Error(ErrorCode::kUnavailable, "cancelled"); }

// The frames of a control with the paths of their files, in order; empty ones are known as such from their listing.
std::vector<std::pair<std::int64_t, fs::path>> FilesOf(const ControlFrames& control, const fs::path& folder) {
  std::vector<std::pair<std::int64_t, fs::path>> files;
  for (const auto& [number, file] : control.sequence.frames) {
    if (control.range.Holds(number) && file.size > 0) files.emplace_back(number, folder / file.path);
  }
  return files;
}

void Widen(const DepthPicture& picture, std::optional<DepthRange>* range) {
  for (const float depth : picture.depth) {
    if (!std::isfinite(depth)) continue;
    if (!*range) *range = DepthRange{depth, depth};
    (*range)->near = std::min<double>((*range)->near, depth);
    (*range)->far = std::max<double>((*range)->far, depth);
  }
}

ProbedControl ProbeExr(const ControlFrames& control, const fs::path& folder, const CancelToken& cancel,
                       const PictureListener& listener) {
  ProbedControl probed;
  const bool distances = control.HoldsDistances();
  std::int64_t done = 0;
  for (const auto& [number, file] : FilesOf(control, folder)) {
    if (cancel.cancelled()) ThrowCancelled();
    PictureFacts& facts = probed.pictures[number];
    try {
      if (distances) {
        const DepthPicture picture = ReadExrDepth(file);
        facts = {picture.width, picture.height, ""};
        Widen(picture, &probed.depth);
      } else {
        const ExrSize size = CheckExrColour(file);
        facts = {size.width, size.height, ""};
      }
    } catch (const Error& error) {
      facts.problem = error.message();
    }
    listener(++done);
  }
  return probed;
}

// With ffprobe, which prints a line for each picture that it could decode and none for the others.
ProbedControl ProbeOthers(const ControlFrames& control, const fs::path& folder, const CancelToken& cancel,
                          const PictureListener& listener) {
  ProbedControl probed;
  std::vector<std::int64_t> numbers;
  std::vector<fs::path> paths;
  for (const auto& [number, file] : FilesOf(control, folder)) {
    if (::access(file.c_str(), R_OK) != 0) {  // ffprobe would end there
      probed.pictures[number].problem = std::strerror(errno);
      continue;
    }
    numbers.push_back(number);
    paths.push_back(file);
  }
  if (paths.empty()) return probed;
  const FrameLinks links(paths);
  const std::string extension = control.Extension();
  std::vector<std::string> options = {"-show_entries", "frame=best_effort_timestamp,width,height", "-of", "csv=p=0"};
  // Half a picture is none. ffmpeg's TIFF decoder would take every tag that it does not know for an error, too.
  if (!extension.starts_with(".tif")) options.insert(options.end(), {"-err_detect", "explode"});

  MediaProcess process(sdk::FfprobeCommand(options, links.InputWords()), MediaProcess::Feed::kNothing, cancel);
  std::string line;
  while (process.ReadLine(&line)) {
    long long place = 0;
    PictureFacts facts;
    if (std::sscanf(line.c_str(), "%lld,%d,%d", &place, &facts.width, &facts.height) != 3) continue;
    if (place < 0 || static_cast<std::size_t>(place) >= numbers.size()) continue;
    probed.pictures[numbers[static_cast<std::size_t>(place)]] = facts;
    listener(place + 1);
  }
  process.Finish();
  if (cancel.cancelled()) ThrowCancelled();
  const std::string complaint = process.Complaint();
  for (const std::int64_t number : numbers) {
    if (probed.pictures.contains(number)) continue;
    probed.pictures[number].problem = complaint.empty() ? "ffmpeg does not understand it" : complaint;
  }
  return probed;
}

}  // namespace

ProbedControl ProbePictures(const ControlFrames& control, const fs::path& folder, const CancelToken& cancel,
                            const PictureListener& listener) {
  return control.Extension() == ".exr" ? ProbeExr(control, folder, cancel, listener)
                                       : ProbeOthers(control, folder, cancel, listener);
}

}  // namespace cosmos
