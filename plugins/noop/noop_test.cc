#include <gtest/gtest.h>

#include "testing/fake_host.h"

namespace {

using cosmos::sdk::testing::FakeHost;
using nlohmann::json;

class NoopTest : public ::testing::Test {
 protected:
  const cosmos_plugin_entry_t& plugin_ = cosmos::sdk::testing::LoadPlugin(PLUGIN_FILE);
  FakeHost host_;
};

TEST_F(NoopTest, NeedsNoService) {
  const json description = cosmos::sdk::testing::Describe(plugin_);
  EXPECT_EQ(description.at("id"), "noop");
  EXPECT_EQ(description.at("requires"), json::array());
  EXPECT_EQ(description.at("outputs_from"), "outputs");
}

TEST_F(NoopTest, GivesNothingForNothing) {
  const FakeHost::Result result = host_.Run(plugin_, json::object());
  EXPECT_EQ(result.status, COSMOS_OK);
  EXPECT_EQ(result.json, json::object());
}

TEST_F(NoopTest, PassesValuesOnUnchanged) {
  const json values = {{"text", "naïve \"quotes\"\n"}, {"list", {1, 2.5, nullptr}}, {"object", {{"a", true}}}};
  EXPECT_EQ(host_.Run(plugin_, {{"outputs", values}}).json, values);
}

TEST_F(NoopTest, StartsNoJob) { EXPECT_EQ(host_.Preview(plugin_, json::object()).json, json::object()); }

}  // namespace
