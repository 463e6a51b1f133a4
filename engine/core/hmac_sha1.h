#pragma once

#include <string>
#include <string_view>

namespace cosmos {

// The 20 bytes of HMAC-SHA1, by which known_hosts files hide names of hosts. Not for new uses. Any thread. Throws
// Error{kInternal} when libcrypto refuses it.
std::string HmacSha1(std::string_view key, std::string_view text);

}  // namespace cosmos
