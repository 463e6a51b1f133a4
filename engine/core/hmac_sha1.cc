#include "core/hmac_sha1.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "core/error.h"

namespace cosmos {

std::string HmacSha1(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned int size = 0;
  if (HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
           text.size(), bytes.data(), &size) == nullptr) {
    throw Error(ErrorCode::kInternal, "libcrypto cannot compute an HMAC-SHA1");
  }
  return std::string(reinterpret_cast<const char*>(bytes.data()), size);
}

}  // namespace cosmos
