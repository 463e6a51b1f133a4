#include "media/pictures/picture_limits.h"

#include <fmt/format.h>

#include <cosmos/media_input.hpp>

#include "core/error.h"

namespace cosmos {

void CheckSize(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) {
    throw Error(ErrorCode::kInvalidInput,
                fmt::format("its header says an impossible size, {} x {} pixels; expected at most {} a side", width,
                            height, kMaxSide),
                "render it again");
  }
  if (width * height > sdk::kMaxPixels) {
    throw Error(
        ErrorCode::kInvalidInput,
        fmt::format("found {} x {} pixels, expected at most {} (such as 16384 x 8192)", width, height, sdk::kMaxPixels),
        "render it smaller");
  }
}

void CheckChunk(std::int64_t bytes) {
  if (bytes <= kMaxChunk) return;
  throw Error(ErrorCode::kInvalidInput,
              fmt::format("found chunks of {} MiB, expected at most {} MiB", bytes >> 20, kMaxChunk >> 20),
              "render fewer channels into a file, or choose a compression with smaller chunks, such as zip");
}

}  // namespace cosmos
