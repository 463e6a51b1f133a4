// SPDX-License-Identifier: BSL-1.0
#include <gmock/gmock.h>

#include <cosmos/plugin.hpp>

#include "testing/fake_host.h"

namespace cosmos::sdk {
namespace {

using ::testing::ElementsAre;
using testing::FakeHost;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// Does what its parameter `do` says.
class Scripted : public Stage {
 public:
  Description Describe() const override {
    Description description;
    description.id = "scripted";
    description.summary = "For tests.";
    description.required_services = {"cosmos.files/1"};
    return description;
  }

  Json Run(Task& task, const Json& parameters) override {
    const std::string what = parameters.value("do", "");
    if (what == "fail") throw StageFailure("guardrail_blocked", "blocked; change the prompt");
    if (what == "throw") throw std::runtime_error("a bug");
    if (what == "throw an int") throw 42;
    if (what == "be cancelled") throw Cancelled();
    if (what == "use a job") task.RunJob({});
    return {{"stage", task.context().stage}, {"attempt", task.context().attempt}};
  }
};

class Unconstructible : public Scripted {
 public:
  Unconstructible() { throw std::runtime_error("no licence found"); }
};

class Indescribable : public Scripted {
 public:
  Description Describe() const override { throw std::runtime_error("no schema"); }
};

class Counter : public Hook {
 public:
  Description Describe() const override {
    Description description;
    description.id = "counter";
    description.events = {"stage_finished"};
    return description;
  }
  void Start(const Context& context, const Json& parameters) override {
    if (context.run_id.empty()) throw std::runtime_error("no run");
    limit_ = parameters.value("limit", 1);
  }
  void OnEvent(const Json& event) override {
    if (event.at("seq").get<int>() > limit_) throw std::runtime_error("too many");
  }
  void Stop() override { throw 42; }

 private:
  int limit_ = 0;
};

class Echo : public JobStage {
 public:
  Description Describe() const override {
    Description description;
    description.id = "echo";
    return description;
  }
  JobSpec Build(Task& task, const Json& parameters) override {
    JobSpec spec;
    spec.script = "printf %s " + ShellQuote(parameters.at("text").get<std::string>()) + " | tee " +
                  ShellQuote(task.OutputFolder() + "/text");
    spec.outputs["text"] = {"text", "file", false};
    return spec;
  }
  void OnOutput(Task& task, std::string_view bytes) override {
    if (bytes == "throw") throw std::runtime_error("cannot read that");
    task.Log(LogLevel::kInfo, bytes);
  }
  Json Outputs(Task&, const Json& parameters, Json files) override {
    files["size"] = parameters.at("text").get<std::string>().size();
    return files;
  }
};

constexpr cosmos_plugin_entry_t kScripted = Entry<Scripted>::Make();
constexpr cosmos_plugin_entry_t kEcho = Entry<Echo>::Make();
constexpr cosmos_plugin_entry_t kCounter = Entry<Counter>::Make();

TEST(Entry, FollowsTheAbi) {
  EXPECT_EQ(kScripted.struct_size, sizeof(cosmos_plugin_entry_t));
  EXPECT_EQ(kScripted.sdk_major, COSMOS_SDK_MAJOR);
  EXPECT_EQ(kScripted.on_event, nullptr);
  EXPECT_EQ(kScripted.attach, nullptr);
  EXPECT_EQ(kCounter.run, nullptr);
}

TEST(Entry, DescribesAStage) {
  const Json description = testing::Describe(kScripted);
  EXPECT_EQ(description.at("id"), "scripted");
  EXPECT_EQ(description.at("kind"), "stage");
  EXPECT_EQ(description.at("prompt_name"), "stage");
  EXPECT_EQ(description.at("log"), "run");
  EXPECT_THAT(description.at("requires"), ElementsAre("cosmos.files/1"));
  EXPECT_THAT(description.at("optional"), UnorderedElementsAre("cosmos.log/1", "cosmos.progress/1"));
  EXPECT_FALSE(description.contains("folder"));
}

TEST(Entry, AJobStageRequiresTheJobService) {
  EXPECT_THAT(testing::Describe(kEcho).at("requires"), ElementsAre("cosmos.job/1"));
}

TEST(Entry, DescribesAHook) {
  const Json description = testing::Describe(kCounter);
  EXPECT_EQ(description.at("kind"), "hook");
  EXPECT_THAT(description.at("events"), ElementsAre("stage_finished"));
  EXPECT_THAT(description.at("optional"), ElementsAre("cosmos.run/1"));
}

TEST(Entry, NamesTheServiceThatIsMissing) {
  FakeHost host;
  host.missing_services = {"cosmos.files/1"};
  const FakeHost::Result result = host.Init(kScripted);
  EXPECT_EQ(result.status, COSMOS_ERROR);
  EXPECT_THAT(result.text, HasSubstr("cosmos.files/1"));
}

TEST(Entry, RunGivesOutputsAndContext) {
  FakeHost host;
  const FakeHost::Result result = host.Run(kScripted, Json::object());
  EXPECT_EQ(result.status, COSMOS_OK);
  EXPECT_EQ(result.json, (Json{{"stage", "stage"}, {"attempt", 1}}));
}

TEST(Entry, TurnsEveryExceptionIntoAStatus) {
  FakeHost host;
  FakeHost::Result result = host.Run(kScripted, {{"do", "fail"}});
  EXPECT_EQ(result.status, COSMOS_FAILED);
  EXPECT_EQ(result.json, (Json{{"kind", "guardrail_blocked"}, {"message", "blocked; change the prompt"}}));

  result = host.Run(kScripted, {{"do", "throw"}});
  EXPECT_EQ(result.status, COSMOS_ERROR);
  EXPECT_EQ(result.text, "a bug");

  result = host.Run(kScripted, {{"do", "throw an int"}});
  EXPECT_EQ(result.status, COSMOS_ERROR);
  EXPECT_THAT(result.text, HasSubstr("unknown type"));

  EXPECT_EQ(host.Run(kScripted, {{"do", "be cancelled"}}).status, COSMOS_CANCELLED);
}

TEST(Entry, SurvivesParametersThatAreNoJson) {
  FakeHost host;
  ASSERT_EQ(host.Init(kScripted).status, COSMOS_OK);
  TextSink result;
  void* instance = kScripted.create(result.sink());
  EXPECT_EQ(kScripted.run(instance, nullptr, ToC("{}"), ToC("{"), result.sink()), COSMOS_ERROR);
  EXPECT_THAT(result.text(), HasSubstr("parse error"));
  kScripted.destroy(instance);
}

TEST(Entry, SaysWhyAnInstanceCannotBeMade) {
  constexpr cosmos_plugin_entry_t entry = Entry<Unconstructible>::Make();
  TextSink error;
  EXPECT_EQ(entry.create(error.sink()), nullptr);
  EXPECT_EQ(error.text(), "no licence found");
}

TEST(Entry, SaysWhyItCannotDescribe) {
  constexpr cosmos_plugin_entry_t entry = Entry<Indescribable>::Make();
  TextSink description;
  TextSink error;
  EXPECT_EQ(entry.describe(description.sink(), error.sink()), COSMOS_ERROR);
  EXPECT_EQ(error.text(), "no schema");
}

TEST(Entry, AHookThatThrowsGivesAStatus) {
  TextSink error;
  void* hook = kCounter.create(error.sink());
  ASSERT_NE(hook, nullptr);
  EXPECT_EQ(kCounter.start(hook, ToC(R"({"run_id": "rs_1"})"), ToC(R"({"limit": 2})"), error.sink()), COSMOS_OK);
  EXPECT_EQ(kCounter.on_event(hook, ToC(R"({"seq": 2})"), error.sink()), COSMOS_OK);
  EXPECT_EQ(kCounter.on_event(hook, ToC(R"({"seq": 3})"), error.sink()), COSMOS_ERROR);
  EXPECT_EQ(error.text(), "too many");
  EXPECT_EQ(kCounter.stop(hook, error.sink()), COSMOS_ERROR);
  kCounter.destroy(hook);
}

TEST(JobStage, PreviewIsWhatRunWouldRun) {
  FakeHost host;
  const FakeHost::Result preview = host.Preview(kEcho, {{"text", "hello"}});
  EXPECT_EQ(preview.status, COSMOS_OK);
  EXPECT_TRUE(host.specs.empty());
  const FakeHost::Result run = host.Run(kEcho, {{"text", "hello"}});
  EXPECT_EQ(run.status, COSMOS_OK);
  ASSERT_EQ(host.specs.size(), 1u);
  EXPECT_EQ(preview.json, host.specs[0]);
  EXPECT_EQ(run.json.at("size"), 5);
  EXPECT_EQ(testing::Shell("cat " + ShellQuote(run.json.at("text").get<std::string>())), "hello");
  EXPECT_EQ(host.LogText(), "hello\n");
}

TEST(JobStage, AReaderThatThrowsDoesNotFailTheJob) {
  FakeHost host;
  EXPECT_EQ(host.Run(kEcho, {{"text", "throw"}}).status, COSMOS_OK);
  EXPECT_THAT(host.LogText(), HasSubstr("cannot read that"));
}

TEST(JobStage, PassesOnHowTheJobEnded) {
  FakeHost host;
  host.job_status = COSMOS_FAILED;
  host.job_result = R"({"kind": "exit_code", "message": "ended with 3", "exit_code": 3})";
  FakeHost::Result result = host.Run(kEcho, {{"text", ""}});
  EXPECT_EQ(result.status, COSMOS_FAILED);
  EXPECT_EQ(result.json, Json::parse(host.job_result));

  host.job_status = COSMOS_CANCELLED;
  EXPECT_EQ(host.Run(kEcho, {{"text", ""}}).status, COSMOS_CANCELLED);

  host.job_status = COSMOS_ERROR;
  host.job_result = "no target";
  result = host.Run(kEcho, {{"text", ""}});
  EXPECT_EQ(result.status, COSMOS_ERROR);
  EXPECT_EQ(result.text, "no target");
}

}  // namespace
}  // namespace cosmos::sdk
