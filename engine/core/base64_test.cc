#include "core/base64.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

TEST(Base64, OfAnyLengthIsReadBack) {
  EXPECT_EQ(EncodeBase64(""), "");
  EXPECT_EQ(EncodeBase64("f"), "Zg==");
  EXPECT_EQ(EncodeBase64("fo"), "Zm8=");
  EXPECT_EQ(EncodeBase64("foo"), "Zm9v");
  for (const std::string& bytes : {std::string(), std::string("f"), std::string("fo"), std::string("foo\0\xff", 5)}) {
    EXPECT_EQ(DecodeBase64(EncodeBase64(bytes)), bytes);
  }
}

TEST(Base64, WhatIsNoBase64IsRefused) {
  for (const char* text : {"Zg", "Zg=", "Z===z", "Zm9v!", "Z\n9v", "-_-_"}) {
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace cosmos
