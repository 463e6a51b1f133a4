#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cosmos {

// Base64 of RFC 4648, with padding, in one line. Any thread.
std::string EncodeBase64(std::string_view bytes);
// The bytes that `text` stands for; nullopt when it is not such base64.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace cosmos
