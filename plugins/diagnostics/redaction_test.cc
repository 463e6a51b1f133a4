#include "diagnostics/redaction.h"

#include <gtest/gtest.h>

namespace cosmos::plugins {
namespace {

TEST(Redaction, NamesThatLookLikeSecrets) {
  for (const char* name :
       {"KEY", "API_KEY", "HF_TOKEN", "hf-token", "hfToken", "MYTOKEN", "client_secret", "DbPassword",
        "AWS_SECRET_ACCESS_KEY", "GOOGLE_CREDENTIALS", "passphrase", "OPENAI_APIKEY", "ACCESSKEY"}) {
    EXPECT_TRUE(NamesASecret(name)) << name;
  }
  for (const char* name : {"PATH", "PWD", "OLDPWD", "BYPASS", "compass", "passes", "SSH_AUTH_SOCK", "max_tokens",
                           "keyframes", "monkey", "author", "prompt", ""}) {
    EXPECT_FALSE(NamesASecret(name)) << name;
  }
}

TEST(Redaction, ValuesOfSuchNamesGo) {
  const auto expect = [](const char* text, const char* redacted) { EXPECT_EQ(WithoutSecrets(text), redacted); };
  expect("HF_TOKEN=abc x=1\n", "HF_TOKEN=*** x=1\n");
  expect("export A='b' HF_TOKEN='it'\\''s here' C='d'", "export A='b' HF_TOKEN='***' C='d'");
  expect("TOKEN=\"a \\\" b\" C=d", "TOKEN=\"***\" C=d");
  expect("password: two words\nnext: line", "password: ***\nnext: line");
  expect(R"({"api_key": "a\"b, c", "other": "x"})", R"({"api_key": "***", "other": "x"})");
  expect(R"({"key": 12, "other": "x"})", R"({"key": "***", "other": "x"})");
  expect(R"(["HF_TOKEN=a b", "X=y"])", R"(["HF_TOKEN=***", "X=y"])");
  expect(R"({"secrets": ["token"], "x": 1})", R"({"secrets": ["token"], "x": 1})");
  expect("secrets: {token: {env: MY_TOKEN}}", "secrets: {token: {env: MY_TOKEN}}");
  expect("TOKEN=\nX=y\n", "TOKEN=\nX=y\n");
  expect("export DBPASS=geheim PWD=/tmp", "export DBPASS=*** PWD=/tmp");
  expect("MYSQL_PWD=geheim SMTP_PASS='a b'", "MYSQL_PWD=*** SMTP_PASS='***'");
  expect("dbPass: geheim\nsession_cookie=x", "dbPass: ***\nsession_cookie=***");
  expect("TOKEN='never closed", "TOKEN='***'");
  expect("?token=abc&x=1", "?token=***&x=1");
}

TEST(Redaction, SecretsByTheirForm) {
  EXPECT_EQ(WithoutSecrets("git clone https://me:pa:ss@host/x https://host/y"),
            "git clone https://me:***@host/x https://host/y");
  EXPECT_EQ(WithoutSecrets("Authorization: Bearer abcdefghijklmnopqrstuvw\n"), "Authorization: Bearer ***\n");
  EXPECT_EQ(WithoutSecrets("using hf_abcdefghijklmnopqrstuvw now"), "using hf_*** now");
  EXPECT_EQ(WithoutSecrets("a\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\nb"),
            "a\n[a private key]\nb");
  EXPECT_EQ(WithoutSecrets("-----BEGIN PRIVATE KEY-----\nAAAA and no end"), "[a private key]");
  EXPECT_EQ(WithoutSecrets("hf_hub is a module, sk-learn too"), "hf_hub is a module, sk-learn too");
}

TEST(Redaction, WhatIsNoTextBecomesText) {
  EXPECT_EQ(AsText(std::string("a\0b\xff\xc3\xa9\t\n", 8)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xc3\xa9\t\n");
  EXPECT_EQ(AsText("\x1b[31mred\x1b[0m 10 %\r20 %\r\nend\r"), "red 10 %\n20 %\nend\n");
  EXPECT_EQ(AsText("\xed\xa0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // half of a pair of UTF-16
  EXPECT_EQ(AsText("\xf0\x9f\x98\x80 \xf0\x9f"), "\xf0\x9f\x98\x80 \xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_TRUE(IsGarbage(AsText(std::string(100, '\0'))));
  EXPECT_FALSE(IsGarbage(AsText("one odd byte \xff in a text that is otherwise good, as in a file's name")));
  EXPECT_FALSE(IsGarbage(""));
}

TEST(Redaction, LongTextsKeepBothEnds) {
  std::string text = "first\n";
  for (int i = 0; i < 10000; ++i) text += "line " + std::to_string(i) + "\n";
  text += "last\n";
  const std::string bounded = Bounded(text, 1000);
  EXPECT_LT(bounded.size(), 1100u);
  EXPECT_EQ(bounded.rfind("first\n", 0), 0u);
  EXPECT_EQ(bounded.substr(bounded.size() - 6), "\nlast\n");
  EXPECT_NE(bounded.find(" bytes are left out here]\n"), bounded.npos);
  EXPECT_EQ(Bounded("short\n", 1000), "short\n");
  EXPECT_LT(Bounded(std::string(5000, 'x'), 1000).size(), 1100u);
}

}  // namespace
}  // namespace cosmos::plugins
