#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cosmos {

// A temporary folder with a link for each frame, named by its place: so neither odd names nor gaps nor repeated frames
// are any business of ffmpeg's. Removed with the object.
class FrameLinks {
 public:
  // `files` are paths of pictures with the same extension. Throws Error{kIo}.
  explicit FrameLinks(const std::vector<std::filesystem::path>& files);
  ~FrameLinks();
  FrameLinks(const FrameLinks&) = delete;
  FrameLinks& operator=(const FrameLinks&) = delete;

  // The words with which ffmpeg and ffprobe take the frames as their input, from number 0 on.
  std::vector<std::string> InputWords() const;

 private:
  std::filesystem::path folder_;
  std::string extension_;
};

}  // namespace cosmos
