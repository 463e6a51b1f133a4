// docs/config.md has every key of the configuration, and one complete file that has them all.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/json_values.h"
#include "documents/markdown.h"
#include "support/sandbox.h"
#include "workflow/schema_walk.h"
#include "workflow/workflow_schema.h"
#include "workflow/yaml_document.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Keys = std::set<std::string>;

// The keys that a schema describes, such as `targets.NAME.ssh.host`.
void KeysOf(const json& root, const json& raw, const std::string& at, Keys* keys) {
  const json& schema = Dereferenced(root, raw);
  for (const auto& [name, property] : ObjectIn(schema, "properties").items()) {
    const std::string key = at + name;
    keys->insert(key);
    KeysOf(root, property, key + ".", keys);
  }
  for (const char* branches : {"oneOf", "anyOf"}) {
    for (const json& branch : ListIn(schema, branches)) KeysOf(root, branch, at, keys);
  }
  const json& element = ObjectIn(schema, "additionalProperties");
  if (!element.empty() && !ObjectIn(Dereferenced(root, element), "properties").empty()) {
    KeysOf(root, element, at + "NAME.", keys);
  }
}

// The keys that the complete file has.
void KeysIn(const json& value, const std::string& at, const Keys& known, Keys* keys) {
  for (const auto& [name, member] : value.items()) {
    const std::string key = at + (known.count(at + name) > 0 || at != "targets." ? name : "NAME");
    if (known.count(key) > 0) keys->insert(key);
    if (member.is_object()) KeysIn(member, key + ".", known, keys);
  }
}

class ConfigPageTest : public ::testing::Test {
 protected:
  ConfigPageTest() {
    sandbox_.SetEnvironment("COSMOS_PLUGIN_PATH=");
    const json schema = json::parse(ConfigSchema());
    KeysOf(schema, schema, "", &keys_);
    const json plugins = sandbox_.EngineJson({"plugins"});
    for (const json& plugin : plugins["plugins"]) {
      if (plugin["kind"] != "hook") continue;
      const std::string id = plugin["id"];
      keys_.insert("hooks." + id);
      const json parameters = sandbox_.EngineJson({"plugins", "show", id})["parameters"];
      KeysOf(parameters, parameters, "hooks." + id + ".", &keys_);
    }
  }

  Sandbox sandbox_;
  const std::string page_ = sandbox_.Read(Sandbox::source() / "docs/config.md");
  Keys keys_;
};

TEST_F(ConfigPageTest, HasEveryKey) {
  ASSERT_GT(keys_.size(), 20u);
  Keys documented = {"targets", "hooks", "log"};  // have a section each
  for (const auto& row : RowsBelow("# The configuration", page_)) {
    ASSERT_THAT(CodeIn(row[0]), SizeIs(1)) << row[0];
    EXPECT_TRUE(documented.insert(CodeIn(row[0])[0]).second) << row[0] << " is there twice";
    EXPECT_EQ(row.size(), 3u) << row[0];
  }
  EXPECT_EQ(documented, keys_);
}

TEST_F(ConfigPageTest, HasACompleteFile) {
  std::vector<Fence> files;
  for (const Fence& fence : FencesOf("docs/config.md", page_)) {
    if (fence.mark == "config") files.push_back(fence);
  }
  ASSERT_THAT(files, SizeIs(1));
  Keys used;
  KeysIn(YamlDocument::Parse(files[0].text, "config.yaml").value(), "", keys_, &used);
  for (const std::string& key : used) keys_.erase(key);
  EXPECT_THAT(keys_, IsEmpty()) << "are not in the complete file";
}

}  // namespace
}  // namespace cosmos::testing
