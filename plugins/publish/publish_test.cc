#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "testing/fake_host.h"

namespace {

namespace fs = std::filesystem;
using cosmos::sdk::testing::FakeHost;
using nlohmann::json;
using ::testing::HasSubstr;

class PublishTest : public ::testing::Test {
 protected:
  static void Write(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }
  static std::string Read(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }

  json Parameters() const {
    return {{"folder", (host_.folder() / "{show}/{sequence}/{shot}/{version}").string()},
            {"show", "city"},
            {"sequence", "sq010"},
            {"shot", "sh020"}};
  }
  // What the stage gives; its failure's message when it fails.
  json Run(const json& parameters) {
    const FakeHost::Result result = host_.Run(plugin_, parameters);
    return result.status == COSMOS_OK ? result.json : json(result.text);
  }
  fs::path shots() const { return host_.folder() / "city/sq010/sh020"; }
  // As another run would have made it.
  void MakeVersion(const std::string& name) {
    fs::create_directories(shots() / name);
    Write(shots() / name / "version.json", R"({"run_id": "rs_other", "stage": "a"})");
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(shots())) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  const cosmos_plugin_entry_t& plugin_ = cosmos::sdk::testing::LoadPlugin(PLUGIN_FILE);
  FakeHost host_;
};

TEST_F(PublishTest, TakesTheFirstVersionAndKeepsItWhenRunAgain) {
  const json first = Run(Parameters());
  EXPECT_EQ(first["version"], 1);
  EXPECT_EQ(first["name"], "v001");
  EXPECT_EQ(first["label"], "city sq010 sh020 v001");
  EXPECT_EQ(first["folder"], (shots() / "v001").string());
  EXPECT_EQ(json::parse(Read(shots() / "v001/version.json"))["shot"], "sh020");
  EXPECT_EQ(Run(Parameters()), first);
  EXPECT_THAT(Names(), ::testing::ElementsAre("v001"));
}

TEST_F(PublishTest, TheNextIsAfterTheHighestWhoeverMadeIt) {
  MakeVersion("v002");
  fs::create_directories(shots() / "v0009");  // an artist's, with another padding
  fs::create_directories(shots() / "v10_old");
  Write(shots() / "v3x", "");
  EXPECT_EQ(Run(Parameters())["name"], "v010");
}

TEST_F(PublishTest, ANumberIsTakenOnlyWhenNoOtherRunHasIt) {
  json parameters = Parameters();
  parameters["version"] = 7;
  EXPECT_EQ(Run(parameters)["name"], "v007");
  EXPECT_EQ(Run(parameters)["name"], "v007");
  MakeVersion("v008");
  parameters["version"] = 8;
  EXPECT_THAT(Run(parameters).get<std::string>(), HasSubstr("belongs to run rs_other"));
}

TEST_F(PublishTest, CopiesFilesAndNeverOverwrites) {
  Write(host_.folder() / "output.mp4", std::string(3'000'000, 'x') + "end");
  json parameters = Parameters();
  parameters["files"] = {{"{shot}_{version}.mp4", (host_.folder() / "output.mp4").string()}};
  const json made = Run(parameters);
  const fs::path copy = shots() / "v001/sh020_v001.mp4";
  EXPECT_EQ(made["files"], (json{{"{shot}_{version}.mp4", copy.string()}}));
  EXPECT_EQ(Read(copy), Read(host_.folder() / "output.mp4"));
  EXPECT_EQ(Run(parameters), made);
  Write(host_.folder() / "output.mp4", std::string(3'000'000, 'x') + "END");
  EXPECT_THAT(Run(parameters).get<std::string>(), HasSubstr("never overwritten"));
  EXPECT_THAT(Read(copy), ::testing::EndsWith("end"));
  EXPECT_EQ(std::distance(fs::directory_iterator(shots() / "v001"), {}), 2);  // and nothing temporary
}

TEST_F(PublishTest, WhatAKilledCopyLeftIsCleared) {
  EXPECT_EQ(Run(Parameters())["name"], "v001");
  Write(shots() / "v001/.a.mp4.part", "half");
  Write(host_.folder() / "a.mp4", "whole");
  json parameters = Parameters();
  parameters["files"] = {{"a.mp4", (host_.folder() / "a.mp4").string()}};
  Run(parameters);
  EXPECT_EQ(Read(shots() / "v001/a.mp4"), "whole");
  EXPECT_FALSE(fs::exists(shots() / "v001/.a.mp4.part"));
}

TEST_F(PublishTest, TwoRunsNeverGetTheSameVersion) {
  constexpr int kShots = 50;
  FakeHost other;
  other.context["run_id"] = "rs_2";
  const auto take = [&](FakeHost* host, std::vector<int>* versions) {
    json parameters = Parameters();
    for (int i = 0; i < kShots; ++i) {
      parameters["shot"] = "s" + std::to_string(i);
      versions->push_back(host->Run(plugin_, parameters).json.value("version", 0));
    }
  };
  std::vector<int> here, there;
  std::thread thread([&] { take(&other, &there); });
  take(&host_, &here);
  thread.join();
  for (int i = 0; i < kShots; ++i) {
    EXPECT_EQ(std::min(here[i], there[i]), 1) << i;
    EXPECT_EQ(std::max(here[i], there[i]), 2) << i;
  }
}

TEST_F(PublishTest, TellsWhatIsWrong) {
  const auto complaint = [&](const json& changes) {
    json parameters = Parameters();
    parameters.update(changes);
    const json result = Run(parameters);
    return result.is_string() ? result.get<std::string>() : result.dump();
  };
  const std::string folder = host_.folder();
  EXPECT_THAT(complaint({{"folder", folder + "/{shot}"}}), HasSubstr("expected {version} once, in its last name"));
  EXPECT_THAT(complaint({{"folder", folder + "/{version}/{shot}"}}), HasSubstr("expected {version} once"));
  EXPECT_THAT(complaint({{"folder", folder + "/{version}_{version}"}}), HasSubstr("expected {version} once"));
  EXPECT_THAT(complaint({{"folder", folder + "/{episode}/{version}"}}), HasSubstr("found '{episode}'"));
  EXPECT_THAT(complaint({{"shot", ""}}), HasSubstr("`shot` is not given"));
  EXPECT_THAT(complaint({{"shot", "../x"}}), HasSubstr("without '/'"));
  EXPECT_THAT(complaint({{"files", {{"../x", folder}}}}), HasSubstr("as the name of a file"));
  EXPECT_THAT(complaint({{"files", {{"x", folder + "/none"}}}}), HasSubstr("there is no file"));
}

TEST_F(PublishTest, ADryRunTakesNothing) {
  host_.Preview(plugin_, Parameters());
  EXPECT_FALSE(fs::exists(shots()));
}

}  // namespace
