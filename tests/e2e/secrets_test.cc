#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kSecret = "gold-token-4711";

// Every file that holds the secret.
std::vector<std::string> Leaks(const Sandbox& sandbox) {
  std::vector<std::string> leaks;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(sandbox.folder())) {
    if (!entry.is_regular_file()) continue;
    if (sandbox.Read(entry.path()).find(kSecret) != std::string::npos) leaks.push_back(entry.path());
  }
  return leaks;
}

TEST(Secrets, ReachTheJobAndStandNowhere) {
  Sandbox sandbox;
  sandbox.SetEnvironment(std::string("MY_TOKEN=") + kSecret);
  sandbox.Write("w.yaml", R"(
version: 1
name: w
secrets: {token: {env: MY_TOKEN}}
hooks: {recorder: {file: seen.txt}}
stages:
  job:
    uses: shell
    env: {TOKEN: "${{ secrets.token }}"}
    with: {run: 'test ${#TOKEN} = 15; echo "the token is $TOKEN"'}
  words: {uses: shell, env: {TOKEN: "${{ secrets.token }}"}, with: {argv: [sh, -c, 'echo "x $TOKEN y"']}}
  inside: {uses: misbehave, with: {how: leak, text: "${{ secrets.token }}"}}
  reader: {uses: shell, needs: inside, with: {argv: [echo, "${{ stages.inside.outputs.text }}"]}}
  fails: {uses: misbehave, with: {how: fail, text: "no access with ${{ secrets.token }}"}}
)");
  const Ended ended = sandbox.Engine({"run", "w.yaml", "--verbose"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.out + ended.err, ::testing::Not(HasSubstr(kSecret)));
  EXPECT_THAT(ended.out, HasSubstr("no access with ***"));
  const std::string run_id = sandbox.Show()["run_id"];
  EXPECT_EQ(sandbox.Read("outputs/job/logs/run_" + run_id + ".log"), "the token is ***\n");
  const auto stages = sandbox.Show()["stages"];
  const auto reader = std::find_if(stages.begin(), stages.end(), [](const auto& s) { return s["stage"] == "reader"; });
  EXPECT_THAT((*reader)["error_message"].get<std::string>(), HasSubstr("the command line of stage 'reader'"));
  EXPECT_EQ(sandbox.Read("outputs/words/logs/run_" + run_id + ".log"), "x *** y\n");
  EXPECT_THAT(Leaks(sandbox), ::testing::IsEmpty());
}

TEST(Secrets, AreMaskedInEverySpelling) {
  Sandbox sandbox;
  sandbox.SetEnvironment("PASSWORD=it's \"gold\"\\4711");
  sandbox.Write("key.pem", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n9w0BAQEFAASCBKcwggSj\n-----END-----\n");
  sandbox.Write("w.yaml", R"yaml(
version: 1
name: w
secrets: {password: {env: PASSWORD}, key: {file: key.pem}}
stages:
  job:
    uses: shell
    env: {PASSWORD: "${{ secrets.password }}", KEY: "${{ secrets.key }}"}
    with:
      run: |
        printf %s "$PASSWORD" | sed 's/\\/\\\\/g; s/"/\\"/g; s/^/json: {"password": "/; s/$/"}\n/'
        printf 'url: it%%27s%%20%%22gold%%22%%5C4711 or it%%27s+%%22gold%%22%%5c4711\n'
        printf 'base64: %s\n' "$(printf %s "user:$PASSWORD" | base64)"
        printf 'shell: %s\n' "$(printf %s "$PASSWORD" | sed "s/'/'\\\\''/g")"
        printf 'line: %s\n' $KEY | tail -n 2
        printf '%s' "$KEY" | awk '{printf "%s%s", sep, $0; sep = "\\n"} END {print ""}'
        for piece in "it's " '"go' 'ld"\47' "11"; do printf %s "$piece"; sleep 0.1; done
        exit 1
)yaml");
  EXPECT_EQ(sandbox.Engine({"run", "w.yaml"}).status, 1);
  const std::string run_id = sandbox.Show()["run_id"];
  EXPECT_EQ(sandbox.Read("outputs/job/logs/run_" + run_id + ".log"),
            "json: {\"password\": \"***\"}\nurl: *** or ***\nbase64: dXNlcj***\nshell: ***\nline: ***\n"
            "line: -----END-----\n***\n***");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(sandbox.outputs())) {
    if (!entry.is_regular_file()) continue;
    const std::string text = sandbox.Read(entry.path());
    for (const char* part : {"gold\"", "gold\\\"", "gold%22", "9w0BAQEFAASCBKcwggSj"}) {
      const bool in_workflow = entry.path().filename() == "run.json" || entry.path().filename() == "workflow.yaml" ||
                               entry.path().filename() == "job.sh";
      EXPECT_TRUE(in_workflow || text.find(part) == text.npos) << entry << part;
    }
  }
}

TEST(Secrets, InAScriptOrOnACommandLineAreRefusedBeforeAnythingRuns) {
  Sandbox sandbox;
  sandbox.SetEnvironment(std::string("MY_TOKEN=") + kSecret);
  for (const char* stage :
       {"{uses: shell, with: {run: 'echo ${{ secrets.token }}'}}",
        "{uses: shell, with: {argv: [echo, 'x ${{ secrets.token }}']}}",
        "{uses: inference, with: {model: command, argv: [echo, '${{ secrets.token }}'], outputs: {}}}"}) {
    sandbox.Write("w.yaml",
                  std::string("version: 1\nname: w\nsecrets: {token: {env: MY_TOKEN}}\nstages:\n  a: ") + stage + "\n");
    const Ended ended = sandbox.Engine({"run", "w.yaml"});
    EXPECT_EQ(ended.status, 2) << stage;
    EXPECT_THAT(ended.err, HasSubstr("w.yaml:5:"));
    EXPECT_THAT(ended.err, HasSubstr("through env"));
  }
}

TEST(Secrets, InWhatIsNoFileAreRefused) {
  Sandbox sandbox;
  sandbox.Write("large", std::string(2 << 20, 'x'));
  ASSERT_EQ(::mkfifo((sandbox.folder() / "fifo").c_str(), 0600), 0);
  for (const char* file : {"fifo", "/dev/zero", "large"}) {
    sandbox.Write("w.yaml", std::string("version: 1\nname: w\nsecrets: {token: {file: ") + file +
                                "}}\nstages:\n  a: {uses: noop}\n");
    const Ended ended = sandbox.Engine({"run", "w.yaml"});
    EXPECT_THAT(ended.status, ::testing::AnyOf(2, 3)) << file;
    EXPECT_THAT(ended.err, ::testing::AnyOf(HasSubstr("expected a regular file"), HasSubstr("is larger than 1 MiB")));
  }
}

TEST(Secrets, ThatAreNotThereAreNamed) {
  const Sandbox sandbox;
  sandbox.Write("w.yaml", "version: 1\nname: w\nsecrets: {token: {env: NO_SUCH_TOKEN}}\nstages:\n  a: {uses: noop}\n");
  const Ended ended = sandbox.Engine({"run", "w.yaml"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.err, HasSubstr("NO_SUCH_TOKEN"));
}

}  // namespace
}  // namespace cosmos::testing
