#include "media/pictures/picture_format.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/error.h"
#include "core/fd.h"
#include "core/files.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMagic = 18;  // bytes that are looked at: a TGA's header

struct Format {
  const char* reader;  // of OpenImageIO; nullptr: it is known only to be named
  const char* name;    // for people
  std::string_view begins;
};

constexpr Format kFormats[] = {{"png", "PNG", "\x89PNG\r\n\x1a\n"sv},
                               {"jpeg", "JPEG", "\xff\xd8\xff"sv},
                               {"openexr", "EXR", "\x76\x2f\x31\x01"sv},
                               {"tiff", "TIFF", "II*\0"sv},
                               {"tiff", "TIFF", "MM\0*"sv},
                               {"tiff", "BigTIFF", "II+\0"sv},
                               {"tiff", "BigTIFF", "MM\0+"sv},
                               {"dpx", "DPX", "SDPX"sv},
                               {"dpx", "DPX", "XPDS"sv},
                               {"bmp", "BMP", "BM"sv},
                               {"webp", "WebP", "RIFF"sv},
                               {nullptr, "GIF", "GIF8"sv},
                               {nullptr, "Radiance HDR", "#?"sv},
                               {nullptr, "Photoshop", "8BPS"sv},
                               {nullptr, "Cineon", "\x80\x2a\x5f\xd7"sv},
                               {nullptr, "JPEG 2000", "\0\0\0\x0cjP"sv},
                               {nullptr, "ZIP", "PK\x03\x04"sv},
                               {nullptr, "HTML", "<!DOCTYPE"sv}};

struct Extension {
  std::string_view extension;
  const char* reader;
};

constexpr Extension kExtensions[] = {{".png", "png"},  {".jpg", "jpeg"},  {".jpeg", "jpeg"}, {".exr", "openexr"},
                                     {".tif", "tiff"}, {".tiff", "tiff"}, {".tga", "targa"}, {".dpx", "dpx"},
                                     {".bmp", "bmp"},  {".webp", "webp"}};

// A TGA begins with no magic, but with few values that are allowed: palette or none, a kind of pixels, their bits.
bool BeginsAsTga(std::string_view bytes) {
  const auto at = [&](std::size_t place) { return static_cast<unsigned char>(bytes[place]); };
  if (bytes.size() < kMagic || at(1) > 1) return false;
  const bool kind = (at(2) >= 1 && at(2) <= 3) || (at(2) >= 9 && at(2) <= 11);
  const bool bits = at(16) == 8 || at(16) == 15 || at(16) == 16 || at(16) == 24 || at(16) == 32;
  return kind && bits;
}

std::string Beginning(const fs::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::string bytes(kMagic, '\0');
  const ssize_t n = fd.valid() ? ::pread(fd.get(), bytes.data(), bytes.size(), 0) : -1;
  if (n < 0) {
    throw Error(ErrorCode::kInvalidInput, std::string("it cannot be opened: ") + std::strerror(errno),
                errno == EACCES ? "give this account the right to read it" : "look whether it is still there");
  }
  bytes.resize(static_cast<std::size_t>(n));
  return bytes;
}

}  // namespace

std::string FormatOf(const fs::path& file) {
  std::string extension = file.extension();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  const auto* known = std::find_if(std::begin(kExtensions), std::end(kExtensions),
                                   [&](const Extension& one) { return one.extension == extension; });
  if (known == std::end(kExtensions)) {
    throw Error(ErrorCode::kInvalidInput, "found the extension '" + extension + "', expected that of a picture");
  }
  const std::string_view reader = known->reader;
  const std::string bytes = Beginning(file);
  const auto* found = std::find_if(std::begin(kFormats), std::end(kFormats),
                                   [&](const Format& one) { return bytes.starts_with(one.begins); });
  const bool is_known = found != std::end(kFormats);
  const bool is_named = is_known && found->reader != nullptr && found->reader == reader;
  if (is_named || (reader == "targa" && !is_known && BeginsAsTga(bytes))) return std::string(reader);
  const std::string expected = "expected one of the format that its name ends with";
  if (is_known) {
    throw Error(ErrorCode::kInvalidInput, std::string("found a file of the format ") + found->name + ", " + expected,
                "rename it after its format, or save it in the other one");
  }
  throw Error(ErrorCode::kInvalidInput, "found no picture in it, " + expected, "render it again");
}

}  // namespace cosmos
