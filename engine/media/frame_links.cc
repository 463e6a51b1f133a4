#include "media/frame_links.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cosmos/media_input.hpp>
#include <system_error>

#include "core/error.h"

namespace cosmos {
namespace fs = std::filesystem;

FrameLinks::FrameLinks(const std::vector<fs::path>& files) : extension_(files.at(0).extension()) {
  // ffmpeg knows extensions in small letters only.
  std::transform(extension_.begin(), extension_.end(), extension_.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  std::string name = fs::temp_directory_path() / "cosmos-frames-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw IoError("make a folder like", name, errno);
  folder_ = name;
  std::error_code error;
  for (std::size_t i = 0; i < files.size() && !error; ++i) {
    fs::create_symlink(fs::absolute(files[i]), folder_ / fmt::format("{:08}{}", i, extension_), error);
  }
  if (error) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    throw IoError("make links in", name, error.value());
  }
}

FrameLinks::~FrameLinks() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::vector<std::string> FrameLinks::InputWords() const {
  // The folder stands in $TMPDIR, whose name may hold what would be a pattern's.
  std::string folder;
  for (const char c : folder_.string()) folder += c == '%' ? "%%" : std::string(1, c);
  return sdk::PictureSequenceInput(folder + "/%08d" + extension_);
}

}  // namespace cosmos
