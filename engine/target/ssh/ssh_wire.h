#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cosmos {

// Numbers and strings as SSH keys and agents write them (RFC 4251): 4 bytes, the most significant first, and a length
// before its bytes. Take… removes what it read from the front; nullopt when that is not all there.

inline std::string WireNumber(std::size_t number) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift & 0xff);
  return bytes;
}

inline std::string WireString(std::string_view text) { return WireNumber(text.size()).append(text); }

inline std::optional<std::size_t> TakeNumber(std::string_view* bytes) {
  if (bytes->size() < 4) return std::nullopt;
  std::size_t number = 0;
  for (const char c : bytes->substr(0, 4)) number = number << 8 | static_cast<unsigned char>(c);
  bytes->remove_prefix(4);
  return number;
}

inline std::optional<std::string> TakeString(std::string_view* bytes) {
  const auto size = TakeNumber(bytes);
  if (!size || *size > bytes->size()) return std::nullopt;
  std::string text(bytes->substr(0, *size));
  bytes->remove_prefix(*size);
  return text;
}

}  // namespace cosmos
