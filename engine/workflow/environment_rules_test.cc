#include "workflow/environment_rules.h"

#include <gtest/gtest.h>

namespace cosmos {
namespace {

TEST(EnvironmentRules, SecretsAreKnownByTheirNames) {
  for (const char* name :
       {"AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "DB_PASSWORD", "OPENAI_API_KEY", "APIKEY", "github_token", "PGPASSWORD",
        "SSH_PASSPHRASE", "GOOGLE_APPLICATION_CREDENTIALS", "HTTP_AUTH", "SSH_KEYS"}) {
    EXPECT_TRUE(SoundsSecret(name)) << name;
  }
  for (const char* name : {"HOME", "RENDER_HOST", "KEYBOARD", "PASSES", "PATH", "AUTHOR", "SHOT"}) {
    EXPECT_FALSE(SoundsSecret(name)) << name;
  }
}

TEST(EnvironmentRules, OnlyWhatIsDeclaredIsRead) {
  const EnvironmentRules rules({"RENDER_HOST", "MY_TOKEN"});
  EXPECT_EQ(rules.Check("RENDER_HOST").message, "");
  EXPECT_EQ(rules.Check("HOME").message, "");
  EXPECT_EQ(rules.Check("DATABASE_URL").message,
            "the workflow reads the environment variable 'DATABASE_URL' and does not declare it");
  EXPECT_NE(rules.Check("MY_TOKEN").message, "");
  EXPECT_EQ(EnvironmentRules().Check("DATABASE_URL").message, "");
}

}  // namespace
}  // namespace cosmos
