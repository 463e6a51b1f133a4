// Login shells as accounts have them: what their start files print, and shells that read other words than sh.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/command.h"
#include "core/error.h"
#include "core/sha256.h"
#include "ssh_target_fixture.h"

namespace cosmos::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SshShellsTest : public SshTargetTest {
 protected:
  // What the program ssh prints on stdout for a command on the host.
  std::string SshSays(const std::string& command) {
    std::vector<std::string> words = server_->ClientOptions();
    words.insert(words.begin(), "ssh");
    words.insert(words.end(), {account_->name() + "@127.0.0.1", command});
    return RunCommand(words, 1min, cancel_).output;
  }
  void DoAllThatATargetDoes() {
    EXPECT_EQ(target_->Run("echo out", 1h).output, "out\n");
    const std::string workdir = account_->home().string() + "/cosmos-engine";
    EXPECT_EQ(target_->Workdir(), workdir);
    const std::string name = "job" + std::to_string(++jobs_);
    const JobHandle handle = target_->Submit(OrderIn(workdir, name, "echo line; exit 5")).handle;
    EXPECT_EQ(WaitForEnd(handle).exit_status, 5);
    EXPECT_EQ(FollowToTheEnd(handle, 5), "line\n");
    EXPECT_EQ(target_->ReadLog(handle, 0, 100).bytes, "line\n");
    EXPECT_EQ(target_->DigestOfLog(handle, -1).sha256, Sha256("line\n"));
    EXPECT_TRUE(target_->Find(handle.folder));
    EXPECT_TRUE(target_->Cancel(handle, 1s));
    WriteFile(folder_ / "a", Bytes(100'000, 1));
    target_->Upload({{folder_ / "a", workdir + "/a" + name}}, "me", cancel_, {});
    EXPECT_THAT(target_->Download({{folder_ / name, workdir + "/a" + name}}, cancel_, {}),
                ElementsAre(Downloaded::kDone));
    EXPECT_TRUE(ReadFile(folder_ / name) == Bytes(100'000, 1));
  }

 private:
  int jobs_ = 0;
};

TEST_F(SshShellsTest, ALoginShellThatPrintsIsNoTrouble) {
  Serve();
  UseAccount();
  const std::string noise =
      "echo 'Welcome to this host!'\nprintf 'running\\nno line end'\necho 'a warning: file truncated elsewhere' >&2\n"
      "printf 'sum 0123' >&2\n";
  WriteFile(account_->home() / ".bashrc", noise);
  ASSERT_THAT(SshSays("true"), HasSubstr("Welcome"));  // the noise is there
  Connect(Options(account_->name()));
  EXPECT_EQ(target_->Run("true", 1h).errors, "");
  DoAllThatATargetDoes();
}

// csh takes no line end between quotes, and fish no `$(…)` in words.
TEST_F(SshShellsTest, AnyLoginShellWillDo) {
  Serve();
  UseAccount();
  for (const char* shell : {"/usr/bin/tcsh", "/usr/bin/fish", "/bin/dash"}) {
    SCOPED_TRACE(shell);
    ASSERT_TRUE(fs::exists(shell));
    ASSERT_EQ(RunCommand({"usermod", "-s", shell, account_->name()}, 1min, cancel_).exit_status, 0);
    Connect(Options(account_->name()));
    EXPECT_EQ(target_->Run("echo \"it's !1 $((1 + 1))\"\nprintf '%s\\n' 'a\nb'", 1h).output, "it's !1 2\na\nb\n");
    DoAllThatATargetDoes();
  }
}

TEST_F(SshShellsTest, ALoginShellThatEndsFirstIsSaid) {
  Serve();
  UseAccount();
  Connect(Options(account_->name()));
  for (const char* ends : {"exit 0\n", "exit 3\n", "exec true\n", "echo 'no lines today'; exit 0\n"}) {
    SCOPED_TRACE(ends);
    WriteFile(account_->home() / ".bashrc", ends);
    try {
      target_->Workdir();
      ADD_FAILURE() << "there is a workdir";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
      EXPECT_THAT(error.message(), HasSubstr("login shell"));
      EXPECT_THAT(error.hint(), HasSubstr(".bashrc"));
      EXPECT_THAT(error.message(), HasSubstr(std::string(ends)[0] == 'e' && ends[1] == 'c' ? "no lines today" : ""));
    }
  }
}

}  // namespace
}  // namespace cosmos::testing
