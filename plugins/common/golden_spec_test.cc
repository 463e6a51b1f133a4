// What models are told, against the cases of the test's folder `testdata`. Compiled into the tests of each plugin that
// drives models.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "testing/fake_host.h"

namespace cosmos::plugins {
namespace {

// One file: {"source": where the case is documented, "parameters", "spec": the spec file, "command": its command line,
// OUT being the output folder}.
class GoldenSpec : public ::testing::TestWithParam<std::filesystem::path> {
 public:
  static std::vector<std::filesystem::path> All() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(TESTDATA)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
  }
  struct NameOf {
    std::string operator()(const ::testing::TestParamInfo<std::filesystem::path>& info) const {
      return info.param.stem().string();
    }
  };

 protected:
  using Json = nlohmann::json;

  void Check(const cosmos_plugin_entry_t& plugin) {
    const Json golden = Json::parse(std::ifstream(GetParam()));
    const auto result = host_.Preview(plugin, golden.at("parameters"));
    ASSERT_EQ(result.status, COSMOS_OK) << result.text;
    const Json& files = result.json.at("files");
    const std::string spec = files.at("spec").at("text");
    EXPECT_EQ(Json::parse(spec), golden.at("spec")) << spec;
    std::string command = files.at("command").at("text");
    ReplaceAll(&command, Quoted("/spec.json"), "OUT/spec.json");
    ReplaceAll(&command, Quoted(""), "OUT");
    command = command.substr(command.rfind('\n', command.size() - 2) + 1);
    command.pop_back();
    EXPECT_EQ(command, golden.at("command"));
  }

  sdk::testing::FakeHost host_;

 private:
  std::string Quoted(const std::string& below) const {
    std::string text = host_.output_folder().string() + below;
    ReplaceAll(&text, "'", "'\\''");
    return "'" + text + "'";
  }
  static void ReplaceAll(std::string* text, const std::string& from, const std::string& to) {
    for (std::size_t at = text->find(from); at != text->npos; at = text->find(from, at + to.size())) {
      text->replace(at, from.size(), to);
    }
  }
};

TEST_P(GoldenSpec, IsWhatTheModelsDocumentsSay) { Check(sdk::testing::LoadPlugin(PLUGIN_FILE)); }

INSTANTIATE_TEST_SUITE_P(Cosmos, GoldenSpec, ::testing::ValuesIn(GoldenSpec::All()), GoldenSpec::NameOf());

}  // namespace
}  // namespace cosmos::plugins
