#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cosmos/text.hpp>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "testing/fake_host.h"

namespace {

namespace fs = std::filesystem;
using cosmos::sdk::testing::FakeHost;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kSecret = "gold-token-4711";
constexpr const char* kRun = "rs_00000000000000000000000000000001";

std::string Read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A run whose one stage has failed on `gpu1`, in a container; with programs that a GPU host has.
class DiagnosticsTest : public ::testing::Test {
 protected:
  DiagnosticsTest() {
    Write("job/job.sh", "export COSMOS_RUN_ID='x' HF_TOKEN='" + std::string(kSecret) + "' SIZE='720'\ncd /work\n");
    Write("job/exit_status", "3\n");
    Write("run.log", std::string("one\ntwo ") + kSecret + "\nthe last line\n");
    Write("engine.log", "an engine's line\n");
    Program("nvidia-smi", "case $1 in --query-gpu*) echo '0, H100, GPU-a, 45, 0, 79000, 81559, 0' ;; esac; exit 0");
    Program(
        "docker",
        "case $1 in ps) echo 'CONTAINER ID  IMAGE' ;; logs) echo 'of the container' ;; inspect)\n"
        "echo '[{\"State\": {\"OOMKilled\": true}, \"Config\": {\"Env\": [\"API_KEY=hidden words\", \"A=b\"]}}]' ;; "
        "esac");
    Program("dmesg", "echo '[ 1.0] Linux'; echo \"[ $(cut -d ' ' -f 1 /proc/uptime)] NVRM: Xid (PCI:0000): 79\"");
    Program("df", "echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'; echo '/dev/a 9 9 0 10% /'");
    host_.context["run_id"] = kRun;
    host_.secrets = {kSecret};
    host_.targets["gpu1"] = OnHost();
    host_.commands[kRun] = json::array({{{"time", "t"},
                                         {"target", "gpu1"},
                                         {"operation", "run"},
                                         {"outcome", "ok"},
                                         {"exit_status", 0},
                                         {"duration", 0.25},
                                         {"what", "nproc"}}});
    const json container = {{"stage", "render"},  {"instance", nullptr}, {"attempt", 1},       {"target", "gpu1"},
                            {"engine", "docker"}, {"sudo", false},       {"name", "cosmos_x"}, {"status", "exited"}};
    host_.containers[kRun] = json::array({container});
    host_.runs[kRun] = {{"run_id", kRun},
                        {"status", "failed"},
                        {"failure_kind", "cuda_oom"},
                        {"error_message", "stage 'render' failed: memory"},
                        {"output_dir", host_.folder().string()},
                        {"started_at", "2020-01-01T00:00:00.000Z"},
                        {"params", {{"seed", 1}, {"api_token", "a b"}}},
                        {"workflow_text", "version: 1\n"},
                        {"engine_log", (host_.folder() / "engine.log").string()},
                        {"secrets", {"token"}},
                        {"secrets_unknown", json::array()},
                        {"versions", {{"engine", "0.1.0"}}},
                        {"stages",
                         {{{"stage", "render"},
                           {"instance", nullptr},
                           {"attempt", 1},
                           {"uses", "inference"},
                           {"status", "failed"},
                           {"failure_kind", "cuda_oom"},
                           {"error_message", "stage 'render' failed: memory"},
                           {"target", "gpu1"},
                           {"log_path", (host_.folder() / "run.log").string()},
                           {"job", {{"folder", (host_.folder() / "job").string()}}}}}}};
  }

  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((host_.folder() / name).parent_path());
    std::ofstream(host_.folder() / name) << text;
  }
  void Program(const std::string& name, const std::string& body) const {
    Write("bin/" + name, "#!/bin/sh\n" + body + "\n");
    fs::permissions(host_.folder() / "bin" / name, fs::perms::all);
  }
  FakeHost::Answer OnHost() const {
    return FakeHost::Shell(
        {{"PATH", (host_.folder() / "bin").string() + ":/usr/bin:/bin"}, {"MY_SECRET", "words here"}});
  }

  // Diagnoses, and gives the manifest's items by name.
  std::map<std::string, json> Diagnose(const json& parameters = json::object()) {
    const FakeHost::Result result = host_.Run(plugin_, parameters);
    EXPECT_EQ(result.status, COSMOS_OK) << result.text;
    std::map<std::string, json> items;
    manifest_ = json::parse(Read(Path("manifest.json")));
    for (const json& item : manifest_.at("items")) {
      const json target = item.at("target");
      items[item.at("name").get<std::string>() + (target.is_null() ? "" : "@" + target.get<std::string>())] = item;
    }
    return items;
  }
  std::string StatusOf(const std::map<std::string, json>& items, const std::string& name) {
    const auto item = items.find(name);
    return item == items.end() ? "(none)" : item->second.at("status").get<std::string>();
  }
  fs::path Path(const std::string& name) const { return host_.folder() / "own" / name; }
  std::string Summary() const { return Read(Path("summary.md")); }

  const cosmos_plugin_entry_t& plugin_ = cosmos::sdk::testing::LoadPlugin(PLUGIN_FILE);
  FakeHost host_;
  json manifest_;
};

TEST_F(DiagnosticsTest, CommandsThatRepeatStandOnce) {
  json commands = json::array();
  const auto add = [&](int time, const char* what, const char* outcome) {
    commands.push_back({{"time", "t" + std::to_string(time)},
                        {"target", "gpu1"},
                        {"operation", "run"},
                        {"outcome", outcome},
                        {"exit_status", 0},
                        {"duration", 0.25},
                        {"what", what}});
  };
  add(0, "once", "ok");
  for (int i = 1; i <= 1000; ++i) add(i, i % 2 == 0 ? "nvidia-smi" : "poll", "ok");
  add(1001, "poll", "error");
  commands.back()["repeated"] = 6;
  host_.commands[kRun] = commands;
  Diagnose();
  EXPECT_EQ(Read(Path("commands.txt")),
            "time target operation outcome status seconds what\n"
            "t0 gpu1 run ok 0 0.250 once\n"
            "t999 gpu1 run ok 0 0.250 poll (500 times since t1)\n"
            "t1000 gpu1 run ok 0 0.250 nvidia-smi (500 times since t2)\n"
            "t1001 gpu1 run error 0 0.250 poll (7 times since t1001)\n");
}

TEST_F(DiagnosticsTest, CollectsEverything) {
  const auto items = Diagnose();
  std::vector<std::string> others;
  for (const auto& [name, item] : items) {
    if (item.at("status") != "collected") others.push_back(name + " " + item.dump());
    EXPECT_GE(item.at("duration").get<double>(), 0);
    EXPECT_TRUE(fs::exists(Path(item.at("file").get<std::string>()))) << name;
  }
  EXPECT_THAT(others, IsEmpty());
  for (const char* name :
       {"run", "workflow", "parameters", "versions", "commands", "engine log", "log render", "job folder render@gpu1",
        "job environment render@gpu1", "system@gpu1", "kernel@gpu1", "gpu@gpu1", "environment@gpu1", "versions@gpu1",
        "containers@gpu1", "container render@gpu1", "container log render@gpu1"}) {
    EXPECT_EQ(StatusOf(items, name), "collected") << name;
  }
  EXPECT_EQ(Read(Path("render.attempt-1.log.txt")), "one\ntwo ***\nthe last line\n");
  EXPECT_THAT(Read(Path("commands.txt")), HasSubstr("t gpu1 run ok 0 0.250 nproc\n"));
  EXPECT_THAT(Read(Path("render.attempt-1.job_folder.txt")), AllOf(HasSubstr("exit_status: 3"), HasSubstr("job.sh")));
  EXPECT_THAT(Summary(), AllOf(HasSubstr("failed: cuda_oom"), HasSubstr("NVRM: Xid"), HasSubstr("79000 of 81559 MiB"),
                               HasSubstr("OOMKilled"), HasSubstr("\nthe last line\n"), HasSubstr("## What to try")));
  EXPECT_THAT(host_.artifacts, ::testing::ElementsAre(Path("summary.md").string()));
}

TEST_F(DiagnosticsTest, SecretsStandInNoFileAndNobodyElseReadsThem) {
  Program("dmesg", std::string("echo '[ 1.0] password: ") + kSecret + " nvidia'");
  Write("run.log", std::string("first ") + kSecret + "\nAuthorization: Bearer abcdefghijklmnopqrstuvwxyz\n");
  Diagnose();
  for (const auto& entry : fs::directory_iterator(Path("."))) {
    const std::string text = Read(entry.path());
    for (const char* secret : {kSecret, "hidden words", "words here", "a b\"", "abcdefghijklmnop"}) {
      EXPECT_THAT(text, Not(HasSubstr(secret))) << entry.path();
    }
    struct stat status {};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 077, 0u) << entry.path();
  }
  EXPECT_THAT(Read(Path("gpu1.environment.txt")), HasSubstr("MY_SECRET=***\n"));
  EXPECT_THAT(Read(Path("render.attempt-1.job_environment.txt")), HasSubstr("HF_TOKEN='***' SIZE='720'"));
  EXPECT_THAT(Read(Path("render.attempt-1.inspect.json")), AllOf(HasSubstr("API_KEY=***"), HasSubstr("A=b")));
}

TEST_F(DiagnosticsTest, WhereSecretsAreNotKnownNoValueOfAVariableIsShown) {
  host_.runs[kRun]["secrets_unknown"] = {"token"};
  Diagnose();
  EXPECT_THAT(Read(Path("gpu1.environment.txt")), AllOf(HasSubstr("PATH=(not shown)"), Not(HasSubstr("/usr/bin"))));
  EXPECT_THAT(Read(Path("render.attempt-1.inspect.json")), AllOf(HasSubstr("A=***"), Not(HasSubstr("A=b"))));
}

// What a program of the host does in place of its work, and which items are to notice.
struct Mischief {
  const char* program;
  std::vector<std::string> items;
};
const std::vector<Mischief>& Mischiefs() {
  static const std::vector<Mischief> all = {
      {"nvidia-smi", {"gpu@gpu1"}},
      {"docker", {"containers@gpu1", "container render@gpu1", "container log render@gpu1"}},
      {"dmesg", {"kernel@gpu1"}},
      {"df", {"system@gpu1"}},
      {"env", {"environment@gpu1"}},
      {"ls", {"job folder render@gpu1"}},
      {"sed", {"job environment render@gpu1"}},
      {"uname", {"versions@gpu1"}}};
  return all;
}

class MischiefTest : public DiagnosticsTest {
 protected:
  // Lets each program in turn do `body`; what it has to do with fails, everything else is as it was.
  void Try(const std::string& body, const std::function<void(const json& item)>& check) {
    for (const Mischief& mischief : Mischiefs()) {
      SCOPED_TRACE(mischief.program);
      const fs::path program = host_.folder() / "bin" / mischief.program;
      const std::string before = Read(program);
      // Where the first of three may not read the kernel's messages, the others are asked.
      for (const char* name : {"sudo", "journalctl"}) Program(name, "exit 1");
      Program(mischief.program, body);
      const auto begin = std::chrono::steady_clock::now();
      const auto items = Diagnose({{"time_limit", "1s"}, {"total_time_limit", "20s"}});
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
      EXPECT_LT(took.count(), 20 + 5);
      for (const auto& [name, item] : items) {
        const bool hit = std::count(mischief.items.begin(), mischief.items.end(), name) > 0;
        if (hit) {
          check(item);
        } else if (mischief.program != std::string("docker") || name != "versions@gpu1") {  // which asks docker too
          EXPECT_NE(item.at("status"), "failed") << item;
        }
      }
      EXPECT_THAT(Summary(), AllOf(HasSubstr("failed: cuda_oom"), HasSubstr("What could not be collected")));
      fs::remove(program);
      if (!before.empty()) Program(mischief.program, before.substr(before.find('\n') + 1));
    }
  }
};

TEST_F(MischiefTest, ThatFails) {
  Try("echo 'it cannot be' >&2; exit 9", [](const json& item) {
    EXPECT_EQ(item.at("status"), "failed") << item;
    EXPECT_THAT(item.at("reason").get<std::string>(), Not(IsEmpty()));
  });
}

TEST_F(MischiefTest, ThatHangs) {
  Try("exec sleep 1000", [](const json& item) {
    EXPECT_EQ(item.at("status"), "failed") << item;
    EXPECT_EQ(item.at("reason"), "it took longer than 1 s and was ended");
    EXPECT_GE(item.at("duration").get<double>(), 0.9);
  });
}

TEST_F(MischiefTest, ThatPrintsGarbage) {
  Try("head -c 300000 /dev/urandom; printf '\\0\\377\\n'", [&](const json& item) {
    if (item.at("name") == "container log render") return;
    EXPECT_EQ(item.at("status"), "failed") << item;
    const json file = item.at("file");
    if (file.is_null()) return;
    const std::string text = Read(Path(file));
    EXPECT_EQ(text.find('\0'), text.npos);
    EXPECT_FALSE(json(text).dump().empty());  // throws for what is no UTF-8
  });
}

TEST_F(MischiefTest, ThatPrintsMegabytes) {
  Program("docker", "yes 'a long line of a container' | head -c 5000000");
  const auto items = Diagnose();
  EXPECT_LT(fs::file_size(Path("render.attempt-1.container.log.txt")), (1u << 20) + 1000);
}

TEST_F(DiagnosticsTest, EverythingIsBoundedByTheTimeForAll) {
  host_.targets["gpu1"] = [](const std::string&, std::int64_t milliseconds) -> json {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return {{"exit_status", -1}, {"output", ""}, {"errors", ""}, {"timed_out", true}};
  };
  const auto begin = std::chrono::steady_clock::now();
  const auto items = Diagnose({{"time_limit", "1s"}, {"total_time_limit", "1500ms"}});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took.count(), 1.5 + 5);  // ten of them hang, one after another they took 10 s and more
  int skipped = 0;
  for (const auto& [name, item] : items) {
    if (item.at("status") == "skipped") {
      ++skipped;
      EXPECT_EQ(item.at("reason"), "the time for all, 1.5 s, was over");
    }
  }
  EXPECT_GT(skipped, 0);
  EXPECT_EQ(StatusOf(items, "log render"), "collected");
}

TEST_F(DiagnosticsTest, AHostThatCannotBeReachedAndWhatThrows) {
  host_.targets.clear();
  auto items = Diagnose();
  EXPECT_EQ(items.at("gpu@gpu1").at("status"), "failed");
  EXPECT_EQ(items.at("gpu@gpu1").at("reason"), "the target cannot be reached");
  EXPECT_EQ(StatusOf(items, "log render"), "collected");
  EXPECT_THAT(Summary(), HasSubstr("GPUs and what uses them (target `gpu1`): failed: the target cannot be reached"));
}

TEST_F(DiagnosticsTest, WhatIsNotThereIsSkippedAndSaidSo) {
  host_.containers[kRun][0]["status"] = "removed";
  json& stage = host_.runs[kRun]["stages"][0];
  stage["job"] = nullptr;
  stage["log_path"] = nullptr;
  for (const char* key : {"params", "workflow_text", "versions"}) host_.runs[kRun][key] = nullptr;
  host_.commands[kRun] = json::array();
  const auto items = Diagnose();
  for (const char* name : {"container render@gpu1", "container log render@gpu1", "job folder render@gpu1", "log render",
                           "parameters", "workflow", "commands"}) {
    EXPECT_EQ(StatusOf(items, name), "skipped") << name;
  }
  EXPECT_THAT(items.at("container render@gpu1").at("reason").get<std::string>(), HasSubstr("was removed"));
}

TEST_F(DiagnosticsTest, ALogThatIsNoFileHoldsNothingUp) {
  const fs::path pipe = host_.folder() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  host_.runs[kRun]["stages"][0]["log_path"] = pipe.string();
  host_.runs[kRun]["engine_log"] = "/nowhere/engine.log";
  const auto items = Diagnose();
  EXPECT_THAT(items.at("log render").at("reason").get<std::string>(), HasSubstr("no ordinary file"));
  EXPECT_THAT(items.at("engine log").at("reason").get<std::string>(), HasSubstr("No such file"));
}

TEST_F(DiagnosticsTest, OfALongLogTheLastLinesAreTaken) {
  std::string log;
  for (int i = 0; i < 100000; ++i) log += "line " + std::to_string(i) + "\n";
  Write("run.log", log);
  Diagnose();
  const std::string text = Read(Path("render.attempt-1.log.txt"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 200);
  EXPECT_EQ(text.rfind("line 99800\n", 0), 0u);
}

TEST_F(DiagnosticsTest, AnEarlierDiagnosisIsReplacedAndWhatIsNotItsOwnStays) {
  Diagnose();
  Write("own/render.attempt-1.host.txt", "kept by the engine");
  EXPECT_TRUE(fs::exists(Path("gpu1.gpu.txt")));
  fs::remove(host_.folder() / "bin/nvidia-smi");
  host_.targets["gpu1"] = FakeHost::Shell({{"PATH", (host_.folder() / "bin").string() + ":/bin"}});
  EXPECT_EQ(StatusOf(Diagnose(), "gpu@gpu1"), "skipped");
  EXPECT_FALSE(fs::exists(Path("gpu1.gpu.txt")));
  EXPECT_TRUE(fs::exists(Path("render.attempt-1.host.txt")));
}

TEST_F(DiagnosticsTest, LimitsThatAreNoneAreRefused) {
  for (const json& limit : {json("soon"), json(0)}) {
    const FakeHost::Result result = host_.Run(plugin_, {{"time_limit", limit}});
    EXPECT_EQ(result.status, COSMOS_FAILED);
    EXPECT_EQ(result.json.at("kind"), "invalid_input");
    EXPECT_THAT(result.text, HasSubstr("'time_limit' of diagnostics"));
  }
}

}  // namespace
