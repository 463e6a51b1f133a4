#include "core/hmac_sha1.h"

#include <gtest/gtest.h>

#include "core/base64.h"

namespace cosmos {
namespace {

// The first two cases of RFC 2202.
TEST(HmacSha1, OfKnownTexts) {
  EXPECT_EQ(EncodeBase64(HmacSha1(std::string(20, '\x0b'), "Hi There")), "thcxhlUFcmTii8C2+zeMjvFGvgA=");
  EXPECT_EQ(EncodeBase64(HmacSha1("Jefe", "what do ya want for nothing?")), "7/zfauXrL6LSdBbV8YTfnCWafHk=");
}

}  // namespace
}  // namespace cosmos
