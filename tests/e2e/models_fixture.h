#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "support/model_repo.h"
#include "support/processes.h"
#include "support/sandbox.h"

namespace cosmos::testing {

using nlohmann::json;

// A folder with a video of kFrames frames and the models' stand-ins (tests/stand_ins), and runs of one stage there.
class ModelsTest : public ::testing::Test {
 protected:
  static constexpr int kFrames = 5;

  ModelsTest() : repo_(sandbox_.folder() / "repo", "1280x704", kFrames) {
    MustRun({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=r=24:s=1920x1080", "-frames:v",
             std::to_string(kFrames), (sandbox_.folder() / "in.mp4").string()});
  }

  // One stage of a model; `with` and `more` (keys of the stage) in YAML's flow style.
  Ended Run(const std::string& model, const std::string& with, const std::string& more = "",
            const std::vector<std::string>& options = {}) {
    sandbox_.Write("w.yaml",
                   "version: 1\nname: w\ntargets: {here: {local: {}, gpus: 2}}\nstages:\n  render: {uses: inference, "
                   "target: here, resources: {gpus: 1}, with: {model: " +
                       model + ", " + repo_.Parameters() + ", " + with + "}" + more + "}\n");
    std::vector<std::string> words = {"run", "w.yaml", "--run-id", "rs_test"};
    words.insert(words.end(), options.begin(), options.end());
    return sandbox_.Engine(words);
  }
  static std::string Transfer(const std::string& prompt) {
    return "prompt: \"" + prompt + "\", input_video: in.mp4, controls: {edge: {}, depth: {weight: 0.5}}";
  }
  json Stage(std::size_t index = 0) { return sandbox_.Show("rs_test")["stages"].at(index); }
  // The steps of the ladder that were taken.
  std::vector<std::string> Changes() {
    std::vector<std::string> changes;
    for (const json& event : sandbox_.Journal("rs_test")) {
      if (event["type"] == "stage_retrying") changes.push_back(event["data"]["change"]);
    }
    return changes;
  }
  // The keys of what was kept of jobs, in the order in which it was.
  std::vector<json> Timings() {
    EXPECT_EQ(sandbox_.Engine({"db", "backup", "copy.db"}).status, 0);
    std::istringstream lines(sandbox_.Run({"sqlite3", "copy.db", "SELECT key FROM timings ORDER BY id"}).out);
    std::vector<json> keys;
    for (std::string line; std::getline(lines, line);) keys.push_back(json::parse(line));
    return keys;
  }
  // The path of an artifact by its name, of an attempt.
  std::string Artifact(const std::string& name, std::size_t attempt = 0) {
    const json stage = Stage(attempt);
    for (const json& artifact : stage["artifacts"]) {
      if (artifact.value("name", "") == name) return artifact["path"];
    }
    return "";
  }

  Sandbox sandbox_;
  ModelRepo repo_;
};

}  // namespace cosmos::testing
