#include "media/pictures/jpeg_header.h"

#include <fstream>

#include "media/pictures/picture_limits.h"

namespace cosmos {
namespace {

constexpr int kScan = 0xDA;  // behind it stand pixels
constexpr int kEnd = 0xD9;

bool BeginsFrame(int marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

bool HasNoLength(int marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8); }

int Number(std::istream* bytes) {
  const int high = bytes->get();
  return high << 8 | bytes->get();
}

}  // namespace

void CheckJpegHeader(const std::filesystem::path& file) {
  std::ifstream bytes(file, std::ios::binary);
  while (bytes.get() == 0xFF) {
    int marker = bytes.get();
    while (marker == 0xFF) marker = bytes.get();  // padding
    if (marker == kScan || marker == kEnd) return;
    if (HasNoLength(marker)) continue;
    const int length = Number(&bytes);
    if (BeginsFrame(marker)) {
      bytes.ignore(1);  // bits of a sample
      const int height = Number(&bytes);
      const int width = Number(&bytes);
      if (bytes) CheckSize(width, height);
      return;
    }
    if (!bytes || length < 2) return;
    bytes.seekg(length - 2, std::ios::cur);
  }
}

}  // namespace cosmos
