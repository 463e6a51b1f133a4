// docs/json.md has the keys of every JSON document that the program prints, and no others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "core/json_values.h"
#include "documents/markdown.h"
#include "event/event.h"
#include "run/run_report.h"
#include "support/fake_nvidia_smi.h"
#include "support/processes.h"
#include "support/sandbox.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

// The name that stands for those of a user, such as OUTPUT, when it is the only key.
bool StandsForNames(const json& object) {
  const std::string key = object.size() == 1 ? object.begin().key() : "";
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// A documented example, and what real documents have of it.
class Shape {
 public:
  explicit Shape(json example) : example_(std::move(example)) {}

  void Meet(const json& real) {
    ++met_;
    Compare(example_, real, "");
  }
  int met() const { return met_; }
  // Keys that are printed and not documented.
  const std::set<std::string>& unknown() const { return unknown_; }
  // Keys that are documented and never printed, although what they belong to is.
  std::set<std::string> Unseen() const {
    std::set<std::string> unseen;
    for (const auto& [object, keys] : expected_) {
      for (const std::string& key : keys) {
        if (seen_.count(object + "." + key) == 0) unseen.insert(object + "." + key);
      }
    }
    return unseen;
  }

 private:
  void Compare(const json& example, const json& real, const std::string& at) {
    if (example == "…") return;
    if (example.is_array() && real.is_array()) {
      for (const json& element : real) Compare(example.at(0), element, at + "[]");
    } else if (example.is_object() && real.is_object()) {
      CompareKeys(example, real, at);
    } else if (example.is_structured() != real.is_structured() && !real.is_null() && !example.is_null()) {
      unknown_.insert(at + " is " + real.type_name());
    }
  }
  void CompareKeys(const json& example, const json& real, const std::string& at) {
    if (StandsForNames(example)) {
      for (const auto& [name, element] : real.items()) Compare(*example.begin(), element, at + ".*");
      return;
    }
    for (const auto& [key, element] : example.items()) expected_[at].insert(key);
    for (const auto& [key, element] : real.items()) {
      seen_.insert(at + "." + key);
      if (example.contains(key)) {
        Compare(example[key], element, at + "." + key);
      } else {
        unknown_.insert(at + "." + key);
      }
    }
  }

  json example_;
  int met_ = 0;
  std::map<std::string, std::set<std::string>> expected_;  // the keys of each object that was met
  std::set<std::string> seen_;
  std::set<std::string> unknown_;
};

class JsonPageTest : public ::testing::Test {
 protected:
  JsonPageTest() {
    sandbox_.SetEnvironment("COSMOS_PLUGIN_PATH=");
    for (const Fence& fence : FencesOf("docs/json.md", page_)) {
      if (fence.mark.rfind("shape=", 0) == 0) shapes_.emplace(fence.mark.substr(6), Shape(json::parse(fence.text)));
    }
  }
  void Meet(const std::string& shape, const json& real) {
    ASSERT_TRUE(shapes_.count(shape)) << shape;
    shapes_.at(shape).Meet(real);
  }
  // Meets what a command prints, whatever its status.
  void MeetCommand(const std::string& shape, std::vector<std::string> words) {
    words.insert(words.end(), {"--format", "json"});
    const Ended ended = sandbox_.Engine(words);
    const json printed = TryParseJson(ended.out);
    ASSERT_FALSE(printed.is_discarded()) << words[0] << ": " << ended.out << ended.err;
    Meet(shape, printed);
  }
  void MeetFile(const std::string& shape, const std::filesystem::path& lines_of_json) {
    std::istringstream lines(sandbox_.Read(lines_of_json));
    for (std::string line; std::getline(lines, line);) Meet(shape, json::parse(line));
  }

  // A run with a GPU, a stage that waits for it, and a host that was lost.
  void MeetQueuingRun();

  Sandbox sandbox_;
  const std::string page_ = sandbox_.Read(Sandbox::source() / "docs/json.md");
  std::map<std::string, Shape> shapes_;
};

constexpr const char* kCity = R"yaml(
version: 1
name: city
params: {prompt: {type: string, default: a city}}
stages:
  enhance: {uses: prompt-enhancement, with: {prompt: "${{ params.prompt }}"}}
  render:
    uses: inference
    needs: enhance
    when: params.prompt != ''
    matrix: {seed: [1, 2]}
    env: {A: b}
    timeout: 1h
    stall_timeout: 10m
    retry: {attempts: 2, backoff: 1s}
    with: {model: playblast, prompt: "${{ stages.enhance.outputs.prompt }}", seed: "${{ matrix.seed }}", input_video: in.mp4}
)yaml";

constexpr const char* kFailing = R"yaml(
version: 1
name: failing
stages: {a: {uses: shell, with: {run: exit 3}}}
)yaml";

// Two stages for one GPU.
constexpr const char* kQueuing = R"yaml(
version: 1
name: queuing
hooks: {gpu-monitor: {interval: 100ms}}
stages:
  first: {uses: shell, resources: {gpus: 1, gpu_busy: ignore}, with: {run: until test -e go; do sleep 0.02; done}}
  second: {uses: shell, resources: {gpus: 1, gpu_busy: ignore}, with: {run: until test -e go; do sleep 0.02; done}}
)yaml";

// For --dry-run alone.
constexpr const char* kPlanned = R"yaml(
version: 1
name: planned
targets: {gpu1: {local: {}, gpus: 1, container: {image: "there-is-none:1"}}}
stages:
  render:
    uses: inference
    target: gpu1
    matrix: {seed: [1, 2]}
    batch: auto
    resources: {gpus: 1}
    retry: {on_oom: [offload]}
    with: {model: cosmos-transfer2.5, prompt: a, input_video: in.mp4, seed: "${{ matrix.seed }}", controls: {edge: {}}}
  alone: {uses: inference, batch: auto, matrix: {seed: [1]}, with: {model: playblast, prompt: a, input_video: in.mp4}}
)yaml";

void JsonPageTest::MeetQueuingRun() {
  sandbox_.Write("bin/here", "");
  const FakeNvidiaSmi nvidia(sandbox_.folder() / "bin");
  sandbox_.SetEnvironment("PATH=" + (sandbox_.folder() / "bin").string() + ":" + ::getenv("PATH"));
  sandbox_.Write("queuing.yaml", kQueuing);
  const pid_t engine = sandbox_.StartEngine({"run", "queuing.yaml", "--run-id", "rs_queuing", "--jobs", "2"});
  Await("a sample of the GPU, and a stage in the queue", [&] {
    const json shown = TryParseJson(sandbox_.Engine({"show", "rs_queuing", "--format", "json"}).out);
    const json& stages = ListIn(shown, "stages");
    return !stages.empty() && !ListIn(stages[0], "gpus").empty() && !ListIn(shown, "queued").empty();
  });
  const json lost = ToJson(Event{1000, {}, {}, {}, TargetLost{"gpu1", "Connection reset by peer"}});
  std::ofstream(sandbox_.run_folder("rs_queuing") / "events.jsonl", std::ios::app) << lost.dump() << "\n";
  MeetCommand("status", {"status"});
  MeetCommand("run", {"show", "rs_queuing"});
  sandbox_.Write("go", "");
  EXPECT_EQ(sandbox_.Wait(engine), 0) << sandbox_.Read("engine.out");
  Meet("run", {{"stages", {{{"container", ContainerToJson({})}}}}});  // there may be no container engine here
}

TEST_F(JsonPageTest, HasTheKeysOfAllCommands) {
  sandbox_.Write("city.yaml", kCity);
  sandbox_.Write("failing.yaml", kFailing);
  sandbox_.Write("planned.yaml", kPlanned);
  sandbox_.Write("bad.yaml", "version: 2\n");
  sandbox_.Write("bad_plugins/bad.so", "no plugin");
  sandbox_.Write("shot/color.1.png", "");
  for (const std::string file : {"in.mp4", "shot/color.%d.png"}) {
    MustRun({"ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=160x88:r=12", "-frames:v", "6",
             (sandbox_.folder() / file).string()});
  }

  MeetCommand("run", {"run", "city.yaml"});
  MeetCommand("logs", {"logs", "last"});
  MeetCommand("error", {"show", "rs_none"});
  MeetCommand("findings", {"validate", "bad.yaml"});
  MeetCommand("plan", {"run", "city.yaml", "--dry-run"});
  MeetCommand("plan", {"run", "planned.yaml", "--dry-run", "--check-targets"});
  MeetCommand("targets", {"targets"});
  MeetCommand("check", {"targets", "check", "local"});
  MeetCommand("gc", {"gc", "--dry-run"});
  MeetCommand("prepare", {"prepare", "shot"});
  MeetCommand("plugins", {"plugins", "--plugin-path", "bad_plugins"});
  MeetCommand("plugin", {"plugins", "show", "noop"});
  MeetCommand("version", {"version"});

  MeetCommand("run", {"run", "failing.yaml"});
  MeetCommand("runs", {"runs"});
  MeetCommand("events", {"events", "last"});
  MeetCommand("diagnostics", {"diagnostics", "last"});
  MeetFile("command", sandbox_.run_folder(sandbox_.Show()["run_id"]) / "commands.jsonl");
  MeetCommand("prune", {"prune", "--keep-last", "0", "--dry-run"});

  MeetCommand("cancel", {"cancel", "last"});
  MeetQueuingRun();
  MeetCommand("db-status", {"db", "status"});
  MeetCommand("db-upgrade", {"db", "upgrade"});
  MeetCommand("db-backup", {"db", "backup", "copy.db"});
  MeetCommand("db-check", {"db", "check"});
  MeetCommand("db-rebuild", {"db", "rebuild", "--merge"});

  for (const auto& [name, shape] : shapes_) {
    EXPECT_GT(shape.met(), 0) << name << " is documented, and no command of this test prints it";
    EXPECT_THAT(shape.unknown(), IsEmpty()) << name << ": is printed and not documented";
    EXPECT_THAT(shape.Unseen(), IsEmpty()) << name << ": is documented and not printed";
  }
}

TEST_F(JsonPageTest, NamesEveryCommand) {
  std::istringstream overview(sandbox_.Engine({"--help"}).out);
  int commands = 0;
  for (std::string line; std::getline(overview, line);) {
    if (line.rfind("  ", 0) != 0) continue;
    const std::string name = line.substr(2, line.find(' ', 2) - 2);
    EXPECT_NE(page_.find("`" + name), page_.npos) << name;
    ++commands;
  }
  EXPECT_GT(commands, 15);
}

// Each kind of event with everything that it can have.
std::vector<EventPayload> AllEvents() {
  const Failure failure = {FailureKind::kExitCode, "it failed"};
  AttemptFacts facts;
  facts.started_at = 1;
  JobFacts job;
  job.pid_start_time = 1;
  job.boot_id = "b";
  job.container = {{"name", "c"}};
  job.members = {{{"instance", "1"}, {"attempt", 1}}};
  return {RunStarted{"w", 1, 1},
          RunResumed{},
          RunFinished{Status::kFailed, failure, 1, "log"},
          StageReady{},
          StageStarted{"u", "t", facts},
          StageFinished{json::object(), facts},
          StageFailed{failure, facts},
          StageCancelled{facts},
          StageSkipped{"r", facts},
          StageRetrying{failure, 2, Duration(1), "offload"},
          StageQueued{"t", 1, "r"},
          GpusLeased{"t", json::array(), Duration(1)},
          JobSubmitted{"t", "f", 1, job},
          JobAttached{"t", "f", 1, job},
          JobEnded{1, FailureKind::kKilled},
          LogAvailable{"p", 1, true},
          Progress{1, 2, "p", 3},
          GpuSample{"t", json::array()},
          ArtifactMade{"n", "p", 1, "s"},
          TransferEnded{"upload", "t", 1, 1, Duration(1)},
          TargetConnected{"t"},
          TargetLost{"t", "r"},
          TargetReconnected{"t"},
          HookFailed{"h", "m", true},
          EventsDropped{"s", 1}};
}

TEST_F(JsonPageTest, HasEveryKindOfEvent) {
  std::map<std::string, std::set<std::string>> documented;
  for (const auto& row : RowsBelow("## Events", page_)) {
    const std::vector<std::string> keys = CodeIn(row.size() > 1 ? row[1] : "");
    for (const std::string& type : CodeIn(row[0])) documented[type] = {keys.begin(), keys.end()};
  }
  std::map<std::string, std::set<std::string>> known;
  for (const EventPayload& payload : AllEvents()) {
    const json event = ToJson(Event{1, {}, {}, {}, payload});
    std::set<std::string>& keys = known[event["type"]];
    for (const auto& [key, value] : event["data"].items()) keys.insert(key);
  }
  EXPECT_EQ(known.size(), std::variant_size_v<EventPayload>);
  EXPECT_EQ(documented, known);
}

TEST_F(JsonPageTest, AKeyTooManyOrTooFewIsFound) {
  Shape shape({{"list", {{{"a", 1}, {"b", 2}}}}, {"map", {{"NAME", {{"c", 1}}}}}});
  shape.Meet({{"list", {{{"a", 1}, {"d", 1}}}}, {"map", {{"x", {{"e", 1}}}}}});
  EXPECT_EQ(shape.unknown(), (std::set<std::string>{".list[].d", ".map.*.e"}));
  EXPECT_EQ(shape.Unseen(), (std::set<std::string>{".list[].b", ".map.*.c"}));
}

}  // namespace
}  // namespace cosmos::testing
