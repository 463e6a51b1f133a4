#include "core/masker.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

TEST(Masker, ReplacesEverySecretTheLongestFirst) {
  const Masker masker({"token", "token-of-gold", "abc"});
  EXPECT_EQ(masker.Mask("a token-of-gold and a token, abc"), "a *** and a ***, abc");
  EXPECT_TRUE(masker.Finds("my token"));
  EXPECT_FALSE(masker.Finds("abc"));
}

TEST(StreamMasker, FindsASecretThatIsSplitAnywhere) {
  const Masker masker({"s3cr3t"});
  const std::string text = "x s3cr3t y s3cr s3cr3t s3c";
  for (size_t first = 0; first < text.size(); ++first) {
    for (size_t second = first; second < text.size(); ++second) {
      StreamMasker stream(&masker);
      std::string out = stream.Add(text.substr(0, first));
      out += stream.Add(text.substr(first, second - first));
      out += stream.Add(text.substr(second));
      out += stream.Finish();
      ASSERT_EQ(out, "x *** y s3cr *** s3c") << first << " " << second;
    }
  }
}

}  // namespace
}  // namespace cosmos
