#include "target/ssh/known_hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/error.h"
#include "core/files.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Verdict = KnownHosts::Verdict;

const HostKey kKey = {"ssh-ed25519", "AAAAkey"};
const HostKey kOther = {"ssh-ed25519", "AAAAother"};

class KnownHostsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / "known-hosts-XXXXXX";
    std::string name = folder_.string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string File(const std::string& text, const std::string& name = "known_hosts") {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  Verdict Judge(const std::string& text, const std::string& host = "gpu.example.com", int port = 22,
                const std::string& alias = "") {
    return KnownHosts({File(text)}, HostNamesOf(host, port, alias)).Judge(kKey).verdict;
  }

  fs::path folder_;
};

TEST_F(KnownHostsTest, ALineIsFoundByItsNames) {
  const std::string key = " ssh-ed25519 AAAAkey a comment\n";
  for (const char* names : {"gpu.example.com", "GPU.Example.COM", "other,gpu.example.com", "gpu.example.com,10.0.0.1",
                            "*.example.com", "gpu*", "g?u.example.com", "*,!cpu.example.com", "*"}) {
    EXPECT_EQ(Judge(names + key), Verdict::kKnown) << names;
    EXPECT_EQ(Judge("# comment\n\n  " + (names + key)), Verdict::kKnown) << names;
  }
  for (const char* names :
       {"gpu", "example.com", "*.example.org", "gpu.example.co?m", "*,!gpu.example.com", "!gpu.example.com,*",
        "[gpu.example.com]:22", "", "# gpu.example.com", "|1|AAAA|AAAA", "|1|x"}) {
    EXPECT_EQ(Judge(names + key), Verdict::kUnknown) << names;
  }
}

TEST_F(KnownHostsTest, CrAtTheEndOfALineIsNoPartOfTheKey) {
  EXPECT_EQ(Judge("gpu.example.com ssh-ed25519 AAAAkey\r\n"), Verdict::kKnown);
  EXPECT_EQ(Judge("gpu.example.com ssh-ed25519 AAAAkey"), Verdict::kKnown);
}

TEST_F(KnownHostsTest, AnotherPortHasItsOwnEntryOrTheOneWithoutAPort) {
  EXPECT_EQ(Judge("[gpu]:2222 ssh-ed25519 AAAAkey\n", "gpu", 2222), Verdict::kKnown);
  EXPECT_EQ(Judge("[gpu]:2222 ssh-ed25519 AAAAkey\n", "gpu", 2223), Verdict::kUnknown);
  EXPECT_EQ(Judge("[gpu]:2222 ssh-ed25519 AAAAkey\n", "gpu", 22), Verdict::kUnknown);
  EXPECT_EQ(Judge("gpu ssh-ed25519 AAAAkey\n", "gpu", 2222), Verdict::kKnown);
  EXPECT_EQ(Judge("gpu ssh-ed25519 AAAAother\n", "gpu", 2222), Verdict::kUnknown);
  EXPECT_EQ(Judge("[gpu]:2222 ssh-ed25519 AAAAother\n", "gpu", 2222), Verdict::kChanged);
  EXPECT_EQ(Judge("[*]:2222 ssh-ed25519 AAAAkey\n", "gpu", 2222), Verdict::kKnown);
}

TEST_F(KnownHostsTest, AnAliasAloneCounts) {
  EXPECT_EQ(Judge("farm ssh-ed25519 AAAAkey\n", "gpu", 2222, "Farm"), Verdict::kKnown);
  EXPECT_EQ(Judge("gpu,[gpu]:2222 ssh-ed25519 AAAAkey\n", "gpu", 2222, "farm"), Verdict::kUnknown);
}

TEST_F(KnownHostsTest, AKeyIsChangedIfOnlyOthersOfItsTypeAreKnown) {
  const std::string other = "gpu.example.com ssh-ed25519 AAAAother\n";
  EXPECT_EQ(Judge(other), Verdict::kChanged);
  EXPECT_EQ(Judge(other + "gpu.example.com ssh-ed25519 AAAAkey\n"), Verdict::kKnown);
  EXPECT_EQ(Judge("gpu.example.com ssh-rsa AAAAother\n"), Verdict::kUnknown);
}

TEST_F(KnownHostsTest, ARevokedKeyIsRevokedWhateverElseIsSaid) {
  const std::string known = "gpu.example.com ssh-ed25519 AAAAkey\n";
  EXPECT_EQ(Judge(known + "@revoked * ssh-ed25519 AAAAkey\n"), Verdict::kRevoked);
  EXPECT_EQ(Judge("@revoked gpu.example.com ssh-ed25519 AAAAkey\n" + known), Verdict::kRevoked);
  EXPECT_EQ(Judge("@revoked * ssh-ed25519 AAAAother\n" + known), Verdict::kKnown);
  EXPECT_EQ(Judge("@revoked other ssh-ed25519 AAAAkey\n" + known), Verdict::kKnown);
  EXPECT_EQ(Judge("@revoked gpu ssh-ed25519 AAAAkey\n", "gpu", 2222), Verdict::kRevoked);
}

TEST_F(KnownHostsTest, AnAuthorityOrAnUnknownMarkerMakesNoKeyKnown) {
  const KnownHosts known({File("@cert-authority * ssh-ed25519 AAAAkey\n@new * ssh-ed25519 AAAAkey\n")},
                         HostNamesOf("gpu", 22, ""));
  EXPECT_EQ(known.Judge(kKey).verdict, Verdict::kUnknown);
  EXPECT_THAT(known.authority(), HasSubstr("known_hosts:1"));
}

TEST_F(KnownHostsTest, AllFilesCountAndMissingOnesHoldNothingUp) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  const std::string first = File("gpu ssh-ed25519 AAAAother\n", "first");
  const std::string second = File("gpu ssh-rsa AAAArsa\ngpu ssh-ed25519 AAAAkey\n", "second");
  const KnownHosts known({folder_ / "fifo", folder_ / "missing", folder_, "/dev/null", first, second},
                         HostNamesOf("gpu", 22, ""));
  EXPECT_EQ(known.Judge(kKey).verdict, Verdict::kKnown);
  EXPECT_EQ(known.Judge(kKey).where, second + ":2");
  EXPECT_THAT(known.types(), ElementsAre("ssh-ed25519", "ssh-rsa"));
}

TEST_F(KnownHostsTest, AnAddedKeyIsKnown) {
  const HostNames names = HostNamesOf("gpu", 2222, "");
  for (const bool hashed : {false, true}) {
    const fs::path file = folder_ / (hashed ? "hashed/known_hosts" : "plain/known_hosts");
    AddKnownHost(file, names.entry, kKey, hashed);
    EXPECT_EQ(KnownHosts({file}, names).Judge(kKey).verdict, Verdict::kKnown);
    EXPECT_EQ(KnownHosts({file}, HostNamesOf("cpu", 2222, "")).Judge(kKey).verdict, Verdict::kUnknown);
    EXPECT_EQ(ReadFile(file).find("gpu") == std::string::npos, hashed);
    struct stat info {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    ASSERT_EQ(::stat(file.parent_path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
  }
}

TEST_F(KnownHostsTest, AKeyIsAddedBehindALineWithoutAnEndAndThroughALink) {
  const std::string file = File("cpu ssh-ed25519 AAAAother");
  fs::create_symlink(file, folder_ / "link");
  AddKnownHost(folder_ / "link", "gpu", kKey, false);
  EXPECT_EQ(ReadFile(file), "cpu ssh-ed25519 AAAAother\ngpu ssh-ed25519 AAAAkey\n");
  AddKnownHost("/dev/null", "gpu", kKey, false);
}

TEST_F(KnownHostsTest, AListOfRevokedKeysIsRead) {
  const std::string file = File("# stolen\nssh-ed25519 AAAAkey host\n");
  EXPECT_TRUE(IsRevokedBy(file, kKey));
  EXPECT_FALSE(IsRevokedBy(file, kOther));
  EXPECT_THROW(IsRevokedBy(folder_ / "missing", kKey), Error);
  EXPECT_THROW(IsRevokedBy(File("SSHKRL\n\0\0\0", "krl"), kKey), Error);
}

// A line that ssh-keygen -H made of "gpu.example.com".
TEST_F(KnownHostsTest, AHashedNameOfSshKeygenIsFound) {
  const std::string line = "|1|77KQUF77Iz7+csdKCk1BuvMSLeY=|hx2wSq7348453ykar3pPVfuQfIo= ssh-ed25519 AAAAkey\n";
  EXPECT_EQ(Judge(line), Verdict::kKnown);
  EXPECT_EQ(Judge(line, "gpu.example.org"), Verdict::kUnknown);
}

}  // namespace
}  // namespace cosmos
