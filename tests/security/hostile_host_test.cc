// A host that means harm: it executes what the engine asks, or answers as it likes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <thread>

#include "security/measured.h"
#include "support/docker_daemon.h"
#include "support/processes.h"
#include "support/remote_host.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr long kMaxMib = 200;  // an engine with one job and sanitizers takes less
// Parts of the scripts for which the tricks are meant.
constexpr const char* kEvery = "";
constexpr const char* kDownload = "readlink -f";
constexpr const char* kPoll = "echo killed";

class HostileHostTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = SshServer::Missing(); !missing.empty()) GTEST_SKIP() << missing;
    fs::copy_file(COSMOS_HOSTILE_SHELL, shell());
    const std::string config = HostConfig() + "ForceCommand " + shell().string() + " " + play().string();
    host_ = std::make_unique<RemoteHost>(config, Socket());
    Play("", "");
    sandbox_.Write("w.yaml",
                   host_->Workflow("hooks: {log-streamer: {}}\nstages: {a: {uses: shell, target: gpu1, with: {run: "
                                   "'echo x >>starts; echo hello; echo made >\"$COSMOS_OUTPUT_DIR/o\"', "
                                   "outputs: {o: o}}}}\n"));
  }
  ~HostileHostTest() override { fs::remove_all(folder_); }
  // Lines of its sshd_config, and the socket of its container engine.
  virtual std::string HostConfig() { return ""; }
  virtual fs::path Socket() { return ""; }
  fs::path shell() const { return folder_ / "hostile-shell"; }
  fs::path play() const { return folder_ / "play"; }
  // From the next script on.
  void Play(const std::string& trick, const std::string& pattern, const std::string& text = "") const {
    sandbox_.Write(play(), trick + "\n" + pattern + "\n" + text);
  }
  Measured RunIt(std::chrono::milliseconds interrupt_after = 0ms, const std::string& run_id = "rs_test") {
    return MeasuredRun(&sandbox_, {"run", "w.yaml", "--run-id", run_id, "--no-preflight"}, interrupt_after);
  }
  // The host is good again, and what it has of the run is fetched.
  void ExpectNothingLost() {
    Play("", "");
    const Measured resumed = MeasuredRun(&sandbox_, {"resume", "rs_test"});
    EXPECT_EQ(resumed.status, 0) << resumed.output;
    EXPECT_EQ(sandbox_.Read("outputs/a/rs_test/o"), "made\n");
    EXPECT_EQ(sandbox_.Read("outputs/a/logs/run_rs_test.log"), "hello\n");
    EXPECT_EQ(sandbox_.Read(host_->workdir() / "starts"), "x\n");
  }

  const fs::path folder_ = MakeFolder("/tmp", "cosmos-hostile");  // which the host's account may read
  Sandbox sandbox_;
  std::unique_ptr<RemoteHost> host_;
};

TEST_F(HostileHostTest, AGoodOneIsServed) {
  const Measured run = RunIt();
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_EQ(sandbox_.Read("outputs/a/rs_test/o"), "made\n");
  EXPECT_LT(run.peak_mib, kMaxMib);
}

TEST_F(HostileHostTest, AReplyWithoutEndIsRefused) {
  Play("endless", kEvery);
  const Measured run = RunIt();
  EXPECT_EQ(run.status, 1) << run.output;
  EXPECT_THAT(run.output, HasSubstr("answers a command of the engine with more than"));
  EXPECT_LT(run.peak_mib, kMaxMib);
}

TEST_F(HostileHostTest, NoiseWithoutEndFillsNoMemoryAndEndsWithCtrlC) {
  for (const char* trick : {"noise", "endless-errors", "silence"}) {
    Play(trick, kEvery);
    const Measured run = RunIt(1s, std::string("rs_") + trick);
    EXPECT_THAT(run.status, AnyOf(1, 130)) << trick << ": " << run.output;
    EXPECT_LT(run.peak_mib, kMaxMib) << trick;
  }
}

TEST_F(HostileHostTest, ASizeThatCannotBeIsRefusedAndNothingIsLost) {
  for (const char* size : {"9223372036854775807", "99999999999999999999999", "4611686018427387904"}) {
    Play("reply", kDownload, std::string(size) + " -\n");
    const Measured run =
        fs::exists(sandbox_.run_folder("rs_test")) ? MeasuredRun(&sandbox_, {"resume", "rs_test"}) : RunIt();
    EXPECT_EQ(run.status, 3) << run.output;
    EXPECT_THAT(run.output, HasSubstr("there is no room for"));
    EXPECT_LT(run.peak_mib, kMaxMib);
  }
  EXPECT_FALSE(fs::exists(sandbox_.outputs() / "a/rs_test/o"));
  ExpectNothingLost();
}

TEST_F(HostileHostTest, AnswersThatMakeNoSenseEndNoJob) {
  int number = 0;
  for (const char* text : {"", "ended\n", "ended 0 0\n", "running\n", "running 99999999999999999999\n", "\x1b[2J\n"}) {
    const std::string run_id = "rs_" + std::to_string(++number);
    Play("reply", kPoll, text);
    std::thread mender([&] {
      Await("the job's end", [&] { return fs::exists(host_->job(run_id, "a") / "out/o"); });
      std::this_thread::sleep_for(1s);
      Play("", "");
    });
    const Measured run = RunIt(0ms, run_id);
    mender.join();
    EXPECT_EQ(run.status, 0) << text << run.output;
    EXPECT_EQ(sandbox_.Read("outputs/a/" + run_id + "/o"), "made\n");
    EXPECT_THAT(run.output, Not(HasSubstr("\x1b")));
  }
}

// The threads that ask a silent host are at work still when the command ends.
TEST_F(HostileHostTest, CommandsThatAskAHostEndByThemselves) {
  ASSERT_EQ(RunIt().status, 0);
  sandbox_.Write("config/cosmos-engine/config.yaml", "targets:\n  gpu1: " + host_->Target() + "\n");
  const std::vector<std::pair<const char*, std::vector<std::string>>> cases = {
      {"silence", {"diagnostics", "rs_test"}},
      {"silence", {"status"}},
      {"endless", {"gc", "--dry-run"}},
      {"endless", {"status"}},
  };
  for (const auto& [trick, words] : cases) {
    Play(trick, kEvery);
    const Measured asked = MeasuredRun(&sandbox_, words);
    EXPECT_LE(asked.status, 3) << trick << " " << words[0] << ": " << asked.output;
    EXPECT_LT(asked.peak_mib, kMaxMib) << trick << " " << words[0];
  }
}

TEST_F(HostileHostTest, ComplaintsAreHarmlessOnATerminal) {
  Play("complain", kEvery,
       "\x1b]0;owned\x07\x1b]52;c;AAAA\x07\xc2\x9b"
       "2J\r\xe2\x80\xae"
       "bad things\n");
  const Measured run = RunIt();
  EXPECT_EQ(run.status, 1) << run.output;
  EXPECT_THAT(run.output, HasSubstr("bad things"));
  for (const char* byte : {"\x1b", "\x07", "\xc2\x9b", "\r", "\xe2\x80\xae"}) {
    EXPECT_THAT(run.output, Not(HasSubstr(byte)));
  }
}

TEST_F(HostileHostTest, AFolderForJobsThatIsNoneIsRefused) {
  for (const std::string& folder :
       {std::string("relative"), std::string("/a\x1b[2Jb"), "/" + std::string(5000, 'a'), std::string()}) {
    Play("reply", "mkdir -p", folder + "\n");
    const Measured run = RunIt(0ms, "rs_" + std::to_string(folder.size()));
    EXPECT_EQ(run.status, 1) << run.output;
    EXPECT_THAT(run.output, HasSubstr("as its folder for jobs"));
  }
}

// What calls itself a video is a list of files of this machine.
TEST_F(HostileHostTest, APlaylistIsNoVideo) {
  sandbox_.Write("secret.ts", "the private clip");
  sandbox_.Write("w.yaml", host_->Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'printf "
                                           "\"#EXTM3U\\n#EXT-X-TARGETDURATION:1\\n#EXTINF:1,\\nfile://" +
                                           (sandbox_.folder() / "secret.ts").string() +
                                           "\\n\" >\"$COSMOS_OUTPUT_DIR/v.mp4\"', outputs: {v: {path: v.mp4, kind: "
                                           "video}}}}}\n"));
  const Measured run = RunIt();
  EXPECT_EQ(run.status, 1) << run.output;
  EXPECT_THAT(run.output, HasSubstr("found the format 'hls'"));
}

// A container engine that talks nonsense about a container that ran well.
class HostileContainerTest : public HostileHostTest {
 protected:
  std::string HostConfig() override {
    docker_ = std::make_unique<DockerDaemon>();
    return "SetEnv DOCKER_HOST=" + docker_->Host() + "\n";
  }
  fs::path Socket() override { return docker_->socket(); }

  std::unique_ptr<DockerDaemon> docker_;
};

TEST_F(HostileContainerTest, NonsenseAboutAContainerLosesNothingAndLeavesNothing) {
  sandbox_.Write("w.yaml", host_->Workflow("stages: {a: {uses: shell, target: gpu1, with: {run: 'echo made "
                                           ">\"$COSMOS_OUTPUT_DIR/o\"', outputs: {o: o}}}}\n",
                                           ", container: {image: \"cosmos-test:latest\", args: [--network, none]}"));
  const std::string deep(60'000, '[');
  int number = 0;
  for (const std::string& text : {deep, std::string("[{\"Id\": 7, \"State\": \"running\"}]"),
                                  std::string("[{\"Id\": {}, \"State\": {\"Running\": \"yes\", \"ExitCode\": [], "
                                              "\"StartedAt\": 5}}]"),
                                  std::string("null")}) {
    const std::string run_id = "rs_" + std::to_string(++number);
    Play("reply", "docker inspect ", text + "\n");
    const Measured run = RunIt(0ms, run_id);
    EXPECT_EQ(run.status, 0) << text.substr(0, 100) << run.output;
    EXPECT_EQ(sandbox_.Read("outputs/a/" + run_id + "/o"), "made\n");
    EXPECT_THAT(docker_->Containers(), IsEmpty());
    EXPECT_LT(run.peak_mib, kMaxMib);
    const bool readable = text.find("ExitCode") != std::string::npos;
    EXPECT_EQ(sandbox_.Read(sandbox_.run_folder(run_id) / "engine.log").find("cannot be read") != std::string::npos,
              !readable)
        << text.substr(0, 100);
  }
}

}  // namespace
}  // namespace cosmos::testing
