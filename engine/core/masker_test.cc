#include "core/masker.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cosmos {
namespace {

using nlohmann::json;

constexpr const char* kKey =
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\nshort\n}\n9w0BAQEFAASCBKcwggSj\n-----END PRIVATE KEY-----";

TEST(Masker, ReplacesEverySecretTheLongestFirst) {
  const Masker masker({"token", "token-of-gold", "abc"});
  EXPECT_EQ(masker.Mask("a token-of-gold and a token, abc"), "a *** and a ***, abc");
  EXPECT_TRUE(masker.Finds("my token"));
  EXPECT_FALSE(masker.Finds("abc"));
  EXPECT_EQ(masker.Mask("tokentoken"), "******");
}

TEST(Masker, LeavesNothingOfSecretsThatOverlap) {
  EXPECT_EQ(Masker({"ab-token", "token-of-gold"}).Mask("x ab-token-of-gold y"), "x *** y");
}

TEST(Masker, KnowsEverySpelling) {
  const std::string secret = "it\"s\\a $ecret/key";
  const Masker masker({secret});
  EXPECT_EQ(masker.Mask(json{{"token", secret}}.dump()), "{\"token\":\"***\"}");
  EXPECT_EQ(masker.Mask(json(json{{"token", secret}}.dump()).dump()), "\"{\\\"token\\\":\\\"***\\\"}\"");
  EXPECT_EQ(masker.Mask("https://host/?key=it%22s%5Ca+%24ecret%2Fkey&x=1"), "https://host/?key=***&x=1");
  EXPECT_EQ(masker.Mask("Authorization: Basic aXQicyVhOml0InNcYSAkZWNyZXQva2V5"), "Authorization: Basic aXQicyVhO***");
  EXPECT_EQ(masker.Mask("TOKEN=$'it\"s\\\\a $ecret/key' run"), "TOKEN=$'***' run");
}

TEST(Masker, MasksEachLineOfAValueWithSeveral) {
  const Masker masker({kKey});
  EXPECT_EQ(masker.Mask(std::string("key: ") + kKey + "."), "key: ***.");
  EXPECT_EQ(masker.Mask(json(kKey).dump()), "\"***\"");
  EXPECT_EQ(masker.Mask("out| MIIEvQIBADANBgkqhkiG\r\nout| 9w0BAQEFAASCBKcwggSj"), "out| ***\r\nout| ***");
  for (const char* text : {"}", "short", "-----BEGIN PRIVATE KEY-----"}) EXPECT_FALSE(masker.Finds(text)) << text;
}

TEST(Masker, MasksTheTextsOfAValueThatIsJson) {
  const Masker masker({json{{"type", "service"}, {"private_key", kKey}}.dump(2)});
  EXPECT_EQ(masker.Mask(kKey), "***");
  EXPECT_EQ(masker.Mask(json{{"private_key", kKey}}.dump()), "{\"private_key\":\"***\"}");
  EXPECT_EQ(masker.Mask("MIIEvQIBADANBgkqhkiG"), "***");
  EXPECT_FALSE(masker.Finds("service"));
}

std::string Streamed(const Masker& masker, const std::string& text, std::size_t first, std::size_t second) {
  StreamMasker stream(&masker);
  std::string out = stream.Add(text.substr(0, first));
  out += stream.Add(text.substr(first, second - first));
  out += stream.Add(text.substr(second));
  return out + stream.Finish();
}

TEST(StreamMasker, FindsASecretThatIsSplitAnywhere) {
  const Masker masker({"s3cr3t"});
  const std::string text = "x s3cr3t y s3cr s3cr3t s3c";
  for (size_t first = 0; first < text.size(); ++first) {
    for (size_t second = first; second < text.size(); ++second) {
      ASSERT_EQ(Streamed(masker, text, first, second), "x *** y s3cr *** s3c") << first << " " << second;
    }
  }
}

TEST(StreamMasker, FindsASpellingThatIsSplitAnywhere) {
  const std::string secret = "a\"b\\\nclé";
  const Masker masker({secret, "b\\\nclé and more"});
  const std::string text =
      "x " + json(secret + " and more").dump(-1, ' ', true) + "%61%22b\\u005c\\ncl%C3%A9, YSJiXApjbMOp";
  const std::string masked = masker.Mask(text);
  EXPECT_EQ(masked, "x \"***\"***, ***");
  for (size_t first = 0; first < text.size(); ++first) {
    for (size_t second = first; second < text.size(); ++second) {
      ASSERT_EQ(Streamed(masker, text, first, second), masked) << first << " " << second;
    }
  }
}

TEST(StreamMasker, PassesOnWholeLinesAtOnce) {
  const Masker masker({"gold-token", kKey});
  StreamMasker stream(&masker);
  EXPECT_EQ(stream.Add("step 1 of 100: gold, 10%\n"), "step 1 of 100: gold, 10%\n");
  EXPECT_EQ(stream.Add("a gold-token\n"), "a ***\n");
}

}  // namespace
}  // namespace cosmos
