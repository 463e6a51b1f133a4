#pragma once

#include <cstdint>

namespace cosmos {

// What a header may claim. All of it is checked before memory is taken for pixels.
inline constexpr int kMaxSide = 65536;
inline constexpr int kMaxTile = 16384;
inline constexpr int kMaxChannels = 1024;
inline constexpr std::int64_t kMaxChunk = std::int64_t{512} << 20;  // bytes that are decoded at once

// Refuse a size, or a chunk, that is beyond the limits: they throw Error{kInvalidInput}.
void CheckSize(std::int64_t width, std::int64_t height);
void CheckChunk(std::int64_t bytes);

}  // namespace cosmos
