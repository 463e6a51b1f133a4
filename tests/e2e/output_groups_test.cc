// Folders, patterns and frame sequences as outputs and inputs of stages, here and on a host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <set>

#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// A script that makes the frames of `seq FIRST LAST`, each with its number in it.
std::string MakeFrames(int first, int last) {
  return "cd \"$COSMOS_OUTPUT_DIR\"; mkdir -p frames; for i in $(seq " + std::to_string(first) + " " +
         std::to_string(last) + "); do echo $i >frames/beauty.$i.exr; done";
}

json Artifact(const json& run, std::size_t stage, std::string_view name) {
  for (const json& artifact : run["stages"].at(stage)["artifacts"]) {
    if (artifact["name"] == name) return artifact;
  }
  return json();
}

// The names of all files and folders, hidden ones too.
std::set<std::string> NamesBelow(const fs::path& folder) {
  std::set<std::string> names;
  if (!fs::exists(folder)) return names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    names.insert(entry.path().lexically_relative(folder));
  }
  return names;
}

class OutputGroupsTest : public ::testing::Test {
 protected:
  void Workflow(const std::string& stages) { sandbox_.Write("w.yaml", "version: 1\nname: w\nstages:\n" + stages); }
  Ended RunIt() { return sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_test"}); }
  std::string Log(const std::string& stage) const { return sandbox_.Read("outputs/" + stage + "/run.log"); }
  std::string Error() const {
    const json run = sandbox_.Show("rs_test");
    return run["failure_kind"].get<std::string>() + ": " + run["error_message"].get<std::string>();
  }

  Sandbox sandbox_;
};

TEST_F(OutputGroupsTest, AreKeptShownAndUsedByTheNextStage) {
  Workflow("  render: {uses: shell, with: {run: '" + MakeFrames(1001, 1010) +
           "', outputs: {all: frames/, exr: 'frames/*.exr', "
           "frames: {path: frames/beauty.####.exr, frames: 1001-1010}}}}\n"
           "  use:\n    uses: shell\n    needs: render\n    with:\n"
           "      inputs: {all: '${{ stages.render.outputs.all }}', exr: '${{ stages.render.outputs.exr }}', "
           "one-frame: {path: "
           "'${{ stages.render.outputs.frames }}', frames: 1001-1010}}\n"
           "      run: |\n"
           "        ls \"$COSMOS_INPUT_ALL\" | wc -l\n        cat $COSMOS_INPUT_EXR | tail -1\n"
           "        echo \"${COSMOS_INPUT_ONE_FRAME##*/}\"\n");
  ExpectSuccess(RunIt());
  EXPECT_EQ(Log("use"), "10\n1010\nbeauty.####.exr\n");
  const json run = sandbox_.Show("rs_test");
  const std::string folder = sandbox_.outputs() / "render/rs_test/frames";
  EXPECT_EQ(run["stages"][0]["outputs"],
            (json{{"all", folder}, {"exr", folder + "/*.exr"}, {"frames", folder + "/beauty.####.exr"}}));
  for (const char* name : {"all", "exr", "frames"}) {
    const json artifact = Artifact(run, 0, name);
    EXPECT_EQ(artifact["files"], 10) << name;
    EXPECT_EQ(artifact["size"], 50) << name;
    EXPECT_EQ(artifact["sha256"], Artifact(run, 0, "all")["sha256"]) << "of the same files";
  }
  EXPECT_THAT(sandbox_.Engine({"show", "rs_test"}).out, HasSubstr("beauty.####.exr  10 files, 50 B"));
  EXPECT_EQ(NamesBelow(sandbox_.outputs() / "render/rs_test").size(), 11u) << "the folder and the frames alone";
}

TEST_F(OutputGroupsTest, TheHistoryIsRebuiltWithThem) {
  Workflow("  render: {uses: shell, with: {run: '" + MakeFrames(1, 3) + "', outputs: {all: frames/}}}\n");
  ExpectSuccess(RunIt());
  const json before = sandbox_.Show("rs_test");
  for (const auto& entry : fs::recursive_directory_iterator(sandbox_.folder())) {
    if (entry.path().extension() == ".db") fs::remove(entry.path());
  }
  ExpectSuccess(sandbox_.Engine({"db", "rebuild"}));
  EXPECT_EQ(Artifact(sandbox_.Show("rs_test"), 0, "all"), Artifact(before, 0, "all"));
}

TEST_F(OutputGroupsTest, MissingFramesAreToldAsRangesAndWhatIsThereIsKept) {
  Workflow(
      "  render: {uses: shell, with: {run: '" + MakeFrames(1001, 1010) +
      "; rm frames/beauty.100[4-6].exr', outputs: {frames: {path: 'frames/beauty.%04d.exr', frames: 1001-1011}}}}\n");
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_THAT(Error(), AllOf(HasSubstr("output_missing: "),
                             HasSubstr("frames 1004-1006, 1011 of 1001-1011 are missing; 7 files of it are in ")));
  EXPECT_EQ(sandbox_.Read("outputs/render/rs_test/frames/beauty.1010.exr"), "1010\n");
}

TEST_F(OutputGroupsTest, AGapIsAFailureUnlessItIsMeant) {
  const std::string make = MakeFrames(1, 9) + "; rm frames/beauty.5.exr";
  for (const std::string output : {"'frames/beauty.####.exr'", "'frames/*.exr'", "frames/"}) {
    Workflow("  render: {uses: shell, with: {run: '" + make + "', outputs: {o: {path: " + output + "}}}}\n");
    EXPECT_EQ(RunIt().status, 1) << output;
    EXPECT_THAT(Error(), AllOf(HasSubstr("frame 5 of 1-9 is missing"), HasSubstr("gaps: true"))) << output;
    Workflow("  render: {uses: shell, with: {run: '" + make + "', outputs: {o: {path: " + output +
             ", gaps: true}}}}\n");
    ExpectSuccess(sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_meant"}));
    ExpectSuccess(sandbox_.Engine({"prune", "--keep-last", "0", "--outputs", "--yes"}));
  }
}

TEST_F(OutputGroupsTest, NothingAndNothingButEmptyFilesAreFailures) {
  Workflow(
      "  render: {uses: shell, with: {run: 'touch \"$COSMOS_OUTPUT_DIR/b.1.exr\" \"$COSMOS_OUTPUT_DIR/c.png\"', "
      "outputs: {o: 'b.#.exr'}}}\n");
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_THAT(
      Error(),
      HasSubstr(
          "output_invalid: stage 'render' failed: the job ended with status 0, but its output 'o' (b.#.exr) has an "
          "empty file: b.1.exr"));
  Workflow("  render: {uses: shell, with: {run: 'touch \"$COSMOS_OUTPUT_DIR/c.png\"', outputs: {o: '*.exr'}}}\n");
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml"}).status, 1);
  EXPECT_THAT(sandbox_.Show()["error_message"].get<std::string>(),
              HasSubstr("(*.exr) has no files; found c.png there instead"));
}

TEST_F(OutputGroupsTest, AnInputIsLookedAtBeforeAndWhenTheStageBegins) {
  Workflow("  use: {uses: shell, with: {run: 'true', inputs: {plate: 'plates/*.exr'}}}\n");
  const Ended ended = RunIt();
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("there is no file 'plates/*.exr'"));
  for (const char* name : {"plates/a.1.exr", "plates/a.2.exr", "plates/a.4.exr"}) sandbox_.Write(name, "x");
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_THAT(Error(), AllOf(HasSubstr("invalid_input: "), HasSubstr("plates/*.exr' is not complete: frame 3 of 1-4")));
}

TEST_F(OutputGroupsTest, WrongFramesAreToldWhenTheFileIsChecked) {
  for (const char* frames : {"10..20", "1-10x", "a", "''"}) {
    Workflow(std::string("  a: {uses: shell, with: {run: 'true', outputs: {o: {path: 'b.#.exr', frames: ") + frames +
             "}}}}\n");
    const Ended ended = sandbox_.Engine({"validate", "w.yaml"});
    EXPECT_EQ(ended.status, 2) << frames;
    EXPECT_THAT(ended.err + ended.out, HasSubstr("such as 1001-1100")) << frames;
  }
  Workflow("  a: {uses: shell, with: {run: 'true', outputs: {o: {path: b.exr, frames: 5}}}}\n");
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_THAT(Error(), HasSubstr("the output 'o' has frames, but is one file"));
  Workflow("  a: {uses: shell, with: {run: 'true', outputs: {o: {path: 'b.#.exr', frames: 5}}}}\n");
  ExpectSuccess(sandbox_.Engine({"validate", "w.yaml"}));
}

TEST_F(OutputGroupsTest, RetryTakesNothingOfTheAttemptBefore) {
  sandbox_.Write("frames", "1001 1004");
  Workflow(
      "  render: {uses: shell, with: {run: 'cp frames \"$COSMOS_OUTPUT_DIR/list\"; cd \"$COSMOS_OUTPUT_DIR\"; mkdir f; "
      "for i in $(seq $(cat list)); do echo $COSMOS_ATTEMPT >f/b.$i.exr; done', outputs: {o: f/, p: {path: "
      "'f/b.#.exr', "
      "frames: 1001-1003}}}}\n");
  sandbox_.Write("frames", "1002 1009");
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_THAT(Error(), HasSubstr("frame 1001 of 1001-1003 is missing"));
  sandbox_.Write("frames", "1001 1003");
  ExpectSuccess(sandbox_.Engine({"retry", "rs_test"}));
  EXPECT_EQ(NamesBelow(sandbox_.outputs() / "render/rs_test"),
            (std::set<std::string>{"f", "f/b.1001.exr", "f/b.1002.exr", "f/b.1003.exr"}));
  EXPECT_EQ(sandbox_.Read("outputs/render/rs_test/f/b.1003.exr"), "2\n");
}

TEST_F(OutputGroupsTest, PruneKeepsWhatIsAnInputAndRemovesTheRest) {
  Workflow("  render: {uses: shell, with: {run: '" + MakeFrames(1, 3) +
           "', outputs: {frames: 'frames/beauty.#.exr'}}}\n");
  ExpectSuccess(RunIt());
  sandbox_.Write("use.yaml",
                 "version: 1\nparams: {plate: {type: string}}\nstages: {a: {uses: shell, with: {run: 'true', inputs: "
                 "{plate: '${{ params.plate }}'}}}}\n");
  ExpectSuccess(sandbox_.Engine({"run", "use.yaml", "--run-id", "rs_use", "-p", "plate=run:rs_test/render/frames"}));
  EXPECT_THAT(sandbox_.Engine({"prune", "--keep-last", "1", "--yes"}).out,
              HasSubstr("what it made is an input of rs_use, which stays"));
  ExpectSuccess(sandbox_.Engine({"prune", "--keep-last", "0", "--outputs", "--yes"}));
  EXPECT_FALSE(fs::exists(sandbox_.outputs() / "render"));
}

// --- On a host.

class RemoteOutputGroupsTest : public OutputGroupsTest {
 protected:
  void SetUp() override {
    if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
    host_ = std::make_unique<RemoteHost>();
  }
  void Workflow(const std::string& stages) { sandbox_.Write("w.yaml", host_->Workflow("stages:\n" + stages)); }

  std::unique_ptr<RemoteHost> host_;
};

// From a host to here, and to a host again, where the names are spelled as they were.
TEST_F(RemoteOutputGroupsTest, FiveHundredFramesGoHereAndThereWithFewRequests) {
  const std::string count = "printf x >>\"$HOME/requests\"; exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"";
  host_ = std::make_unique<RemoteHost>("ForceCommand " + count + "\n");
  Workflow("  render: {uses: shell, target: gpu1, with: {run: '" + MakeFrames(1001, 1500) +
           "', outputs: {all: frames/, frames: {path: 'frames/beauty.####.exr', frames: 1001-1500}}}}\n"
           "  use:\n    uses: shell\n    needs: render\n    target: gpu1\n    with:\n"
           "      inputs: {frames: '${{ stages.render.outputs.frames }}'}\n"
           "      run: |\n"
           "        ls \"${COSMOS_INPUT_FRAMES%/*}\" | wc -l\n"
           "        echo \"${COSMOS_INPUT_FRAMES##*/}\"\n        cat \"${COSMOS_INPUT_FRAMES%/*}/beauty.1500.exr\"\n"
           "        cd \"$COSMOS_OUTPUT_DIR\"; mkdir back; cp \"${COSMOS_INPUT_FRAMES%/*}\"/*.100?.exr back\n"
           "      outputs: {back: back/}\n"
           "  again:\n    uses: shell\n    needs: use\n    target: gpu1\n    with:\n"
           "      inputs: {back: '${{ stages.use.outputs.back }}'}\n"
           "      run: echo \"${COSMOS_INPUT_BACK##*/}\"; ls \"$COSMOS_INPUT_BACK\" | wc -l\n");
  ExpectSuccess(RunIt());
  EXPECT_EQ(Log("use"), "500\nbeauty.####.exr\n1500\n");
  EXPECT_EQ(Log("again"), "back\n9\n");
  const json run = sandbox_.Show("rs_test");
  for (const char* name : {"all", "frames"}) EXPECT_EQ(Artifact(run, 0, name)["files"], 500);
  EXPECT_EQ(Artifact(run, 1, "back")["files"], 9);
  EXPECT_EQ(NamesBelow(sandbox_.outputs() / "render/rs_test").size(), 501u);
  EXPECT_LT(sandbox_.Read(host_->account().home() / "requests").size(), 80u) << "of the whole run";
  EXPECT_EQ(host_->server().LoginCount(), 1);
  std::size_t moved = 0;
  for (const json& event : sandbox_.Journal("rs_test")) {
    if (event["type"] == "transfer_ended") moved += event["data"]["files"].get<std::size_t>();
  }
  EXPECT_EQ(moved, 500u + 500 + 9 + 9);
  host_->ExpectNothingLeft();
}

TEST_F(RemoteOutputGroupsTest, MissingFramesAreToldAndTheRestComes) {
  Workflow("  render: {uses: shell, target: gpu1, with: {run: '" + MakeFrames(1, 9) +
           "; rm frames/beauty.[45].exr', outputs: {frames: 'frames/beauty.####.exr'}}}\n");
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_THAT(Error(), HasSubstr("frames 4-5 of 1-9 are missing"));
  EXPECT_EQ(sandbox_.Read("outputs/render/rs_test/frames/beauty.9.exr"), "9\n");
}

TEST_F(RemoteOutputGroupsTest, LinksThatLeaveTheFolderAndOddNamesAreRefused) {
  Workflow("  render: {uses: shell, target: gpu1, with: {run: '" + MakeFrames(1, 2) +
           "; ln -s /etc/passwd frames/beauty.3.exr', outputs: {frames: frames/}}}\n");
  EXPECT_EQ(RunIt().status, 1);
  EXPECT_THAT(Error(),
              AllOf(HasSubstr("output_invalid"), HasSubstr("beauty.3.exr"), HasSubstr("leads out of the job's")));
  EXPECT_THAT(NamesBelow(sandbox_.outputs() / "render/rs_test"), Not(::testing::Contains("frames/beauty.3.exr")));
  Workflow(
      "  render: {uses: shell, target: gpu1, with: {run: 'cd \"$COSMOS_OUTPUT_DIR\"; mkdir f; touch \"f/$(printf "
      "\"a\\nb\")\"', outputs: {frames: f/}}}\n");
  EXPECT_EQ(sandbox_.Engine({"run", "w.yaml", "--run-id", "rs_odd"}).status, 1);
  EXPECT_THAT(sandbox_.Show("rs_odd")["error_message"].get<std::string>(), HasSubstr("control characters"));
}

// Until the last file has come, nothing stands where the outputs are looked for; what has come is not fetched again.
TEST_F(RemoteOutputGroupsTest, AnEngineKilledHalfWayLeavesNothingThatLooksCompleteAndGoesOn) {
  Workflow(
      "  render: {uses: shell, target: gpu1, with: {run: 'echo ran >>count; cd \"$COSMOS_OUTPUT_DIR\"; mkdir frames; "
      "for "
      "i in $(seq 1 40); do head -c 200000 /dev/urandom >frames/b.$i.exr; done', outputs: {all: frames/, seq: "
      "'frames/b.####.exr'}}}\n"
      "  use: {uses: shell, needs: render, with: {run: 'ls \"$COSMOS_INPUT_ALL\" | wc -l', inputs: {all: '${{ "
      "stages.render.outputs.all }}'}}}\n");
  const fs::path folder = sandbox_.outputs() / "render/rs_test", staging = folder / ".incoming/frames";
  const pid_t engine = sandbox_.StartEngine({"run", "w.yaml", "--run-id", "rs_test"});
  Await("end of the job", [&] { return !sandbox_.Read(host_->job("rs_test", "render") / "exit_status").empty(); });
  host_->proxy().SetThrottle(400'000);
  Await("some of the frames", [&] { return NamesBelow(staging).size() >= 5; });
  ::kill(engine, SIGKILL);
  sandbox_.Wait(engine);
  const std::set<std::string> fetched = NamesBelow(staging);
  EXPECT_LT(fetched.size(), 40u);
  EXPECT_FALSE(fs::exists(folder / "frames"));
  host_->proxy().SetThrottle(0);
  const std::uint64_t before = host_->proxy().BytesForwarded();
  ExpectSuccess(sandbox_.Engine({"resume", "rs_test"}));
  EXPECT_LT(host_->proxy().BytesForwarded() - before, (41 - fetched.size() + 1) * 200'000 + 400'000)
      << "what had come, came again";
  EXPECT_EQ(sandbox_.Read(host_->workdir() / "count"), "ran\n");
  EXPECT_EQ(Log("use"), "40\n");
  std::set<std::string> names = NamesBelow(folder);
  EXPECT_EQ(names.size(), 41u) << "the folder and its frames, and nothing temporary";
  EXPECT_EQ(names.count("frames/b.40.exr"), 1u);
  host_->ExpectNothingLeft();
}

}  // namespace
}  // namespace cosmos::testing
