// How a script reaches a host's shell, and how its reply is separated from noise.

#include "target/ssh/remote_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "target/ssh/scripts_fixture.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// The parameter is the words of a login shell, which gets the command of an exec request.
class RemoteFrameTest : public ScriptsTest {
 protected:
  // Executes `text` as sshd would have it executed, with `input` behind it.
  Said Execute(const std::string& text, const std::string& input = "",
               std::optional<Duration> timeout = std::nullopt) const {
    HeldProgram program(Words(RemoteFrame::Command(text.size(), timeout)));
    program.Write(text + input);
    program.CloseInput();
    return program.Wait();
  }
  RemoteFrame frame_;
};

std::vector<std::string> LoginShells() {
  std::vector<std::string> shells;
  for (const char* shell : {"/bin/sh", "/bin/bash", "/bin/busybox sh", "/bin/csh", "/usr/bin/tcsh", "/usr/bin/fish"}) {
    const std::string words = shell;
    if (::access(words.substr(0, words.find(' ')).c_str(), X_OK) == 0) shells.push_back(words);
  }
  return shells;
}

INSTANTIATE_TEST_SUITE_P(By, RemoteFrameTest, ::testing::ValuesIn(LoginShells()), ShellName);

TEST_P(RemoteFrameTest, AScriptArrivesAsItIsAndItsReplyIsFramed) {
  for (const std::string& word : kOddWords) {
    SCOPED_TRACE(word);
    const Said said = Execute(frame_.Answered("printf '%s|' " + ShellQuote(word) + "; cat; echo e >&2; exit 5"));
    EXPECT_EQ(said.status, 5);
    EXPECT_THAT(said.output, StartsWith(frame_.begin()));
    std::string output = said.output.substr(frame_.begin().size());
    EXPECT_EQ(frame_.TakeEnd(&output), 5);
    EXPECT_EQ(output, word + "|");
    EXPECT_EQ(said.errors, frame_.begin() + "e\n");
  }
  EXPECT_FALSE(fs::exists(root_ + "/PWNED"));
}

TEST_P(RemoteFrameTest, WhatFollowsTheScriptIsItsStdin) {
  const Said said = Execute(frame_.Streamed("read -r line; echo \"<$line>\"; cat"), "it's $(said)\nthe rest");
  EXPECT_EQ(said.output, frame_.begin() + "<it's $(said)>\nthe rest");
}

TEST_P(RemoteFrameTest, AScriptIsUnseenByOthers) {
  const Said said = Execute(frame_.Streamed("gold='gold token'\ntr '\\0' ' ' </proc/$$/cmdline\nexit 6"));
  EXPECT_EQ(said.status, 6);
  EXPECT_THAT(said.output, HasSubstr("/bin/sh -c"));
  EXPECT_THAT(said.output, Not(HasSubstr("gold")));
}

TEST_P(RemoteFrameTest, ALongScriptArrivesWhole) {
  std::string script;
  for (int i = 0; script.size() < 500'000; ++i) script += "n=" + std::to_string(i) + "\n";
  const std::string last = script.substr(script.rfind('=') + 1);
  const std::string text = frame_.Streamed(script + "echo $n");
  HeldProgram program(Words(RemoteFrame::Command(text.size())));
  std::thread writer([&] {
    for (std::size_t at = 0; at < text.size(); at += 60'000) program.Write(text.substr(at, 60'000));
  });
  writer.join();
  program.CloseInput();
  EXPECT_THAT(program.Wait().output, EndsWith("\n" + last));
}

TEST_P(RemoteFrameTest, AScriptIsKilledWithWhatItStartedWhenItTakesTooLong) {
  if (GetParam().find("busybox") != std::string::npos) return;  // whose own `timeout` ends one process
  const std::string text = frame_.Answered("echo begun; sleep 1000 & sleep 1000");
  HeldProgram program(Words(RemoteFrame::Command(text.size(), 1ms)));
  program.Write(text);
  program.CloseInput();
  Said said = program.Wait();
  EXPECT_EQ(said.status, 128 + SIGKILL);
  EXPECT_THAT(said.output, EndsWith("begun\n"));
  EXPECT_EQ(frame_.TakeEnd(&said.output), std::nullopt);
  // What was killed dies in its own time.
  Await("end of what it started", [&] { return !program.LeftSomething(); });
}

TEST_P(RemoteFrameTest, AnErrorOfSyntaxIsNoEnd) {
  Said said = Execute(frame_.Answered("echo begun\nif"));
  EXPECT_NE(said.status, 0);
  EXPECT_EQ(frame_.TakeEnd(&said.output), std::nullopt);
}

TEST(RemoteFrame, NoTwoAreAlike) { EXPECT_NE(RemoteFrame().begin(), RemoteFrame().begin()); }

TEST(RemoteFrame, AnEndOfAnotherFrameIsNone) {
  const RemoteFrame frame;
  std::string output = "cosmos-end-0123456789abcdef0123456789abcdef 0\n";
  EXPECT_EQ(frame.TakeEnd(&output), std::nullopt);
}

// bash takes functions from its environment, and they come before builtins.
TEST(RemoteFrame, FunctionsOfTheEnvironmentReplaceNothing) {
  const RemoteFrame frame;
  const std::string text = frame.Streamed("printf '%s\\n' one | cat\ncd / && pwd");
  HeldProgram program({"env", "BASH_FUNC_printf%%=() { echo bad; }", "BASH_FUNC_cd%%=() { echo bad; }",
                       "BASH_FUNC_cat%%=() { echo bad; }", "bash", "--posix", "-c",
                       "eval \"$(head -c " + std::to_string(text.size()) + ")\""});
  program.Write(text);
  program.CloseInput();
  EXPECT_EQ(program.Wait().output, frame.begin() + "one\n/\n");
}

}  // namespace
}  // namespace cosmos
