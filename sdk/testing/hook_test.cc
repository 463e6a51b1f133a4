// SPDX-License-Identifier: BSL-1.0
#include <gmock/gmock.h>

#include <cosmos/plugin.hpp>
#include <stdexcept>
#include <string>

#include "testing/fake_host.h"
#include "testing/fake_run.h"

namespace cosmos::sdk {
namespace {

using testing::FakeHost;
using testing::FakeRun;

// Logs the job and the state of its log with each event.
class Watcher : public Hook {
 public:
  Description Describe() const override {
    Description description;
    description.id = "watcher";
    description.parameters = {{"properties", {{"greeting", {{"default", "hello"}}}}}};
    description.optional_services = {"cosmos.job_log/1"};
    return description;
  }
  void Start(const Context& context, const Json& parameters) override {
    Log(LogLevel::kDebug, parameters.at("greeting").get<std::string>() + " " + context.run_id);
    if (parameters.contains("refuse")) throw std::runtime_error("I will not");
  }
  void OnEvent(const Json& event) override {
    const JobLog log = LogOf(event);
    Log(LogLevel::kInfo, log.job() + (log.Position() ? " open" : " closed"));
  }
  void Stop() override { Log(LogLevel::kWarning, "bye"); }
};

constexpr cosmos_plugin_entry_t kWatcher = Entry<Watcher>::Make();

class HookTest : public ::testing::Test {
 protected:
  std::string Lines() const {
    std::string text;
    for (const FakeHost::LogLine& line : run_.lines()) text += std::to_string(line.level) + " " + line.text + "\n";
    return text;
  }

  FakeHost host_;
  FakeRun run_{&host_};
};

TEST_F(HookTest, HasItsRunFromStartToStop) {
  run_.LogOf("render/1");
  run_.LogOf("render.gpu=2/1");
  ASSERT_EQ(run_.Start(kWatcher, Json::object()).status, COSMOS_OK);
  EXPECT_EQ(run_.OnEvent(run_.Event("job_submitted", "render")).status, COSMOS_OK);
  EXPECT_EQ(run_.OnEvent(run_.Event("job_submitted", "render", "gpu=2")).status, COSMOS_OK);
  Json second_attempt = run_.Event("job_submitted", "render");
  second_attempt["attempt"] = 2;
  EXPECT_EQ(run_.OnEvent(second_attempt).status, COSMOS_OK);
  EXPECT_EQ(run_.Stop().status, COSMOS_OK);
  EXPECT_EQ(Lines(), "0 hello " + host_.context.at("run_id").get<std::string>() +
                         "\n1 render/1 open\n1 render.gpu=2/1 open\n1 render/2 closed\n2 bye\n");
}

TEST_F(HookTest, AHookThatRefusesToStartIsDestroyed) {
  const FakeHost::Result result = run_.Start(kWatcher, {{"refuse", true}});
  EXPECT_EQ(result.status, COSMOS_ERROR);
  EXPECT_EQ(result.text, "I will not");
}

// As on a host of SDK 1.0, which knows neither `attach` nor the services.
TEST_F(HookTest, WorksWithoutARun) {
  host_.missing_services = {"cosmos.run/1", "cosmos.job_log/1"};
  ASSERT_EQ(host_.Init(kWatcher).status, COSMOS_OK);
  TextSink error;
  void* hook = kWatcher.create(error.sink());
  EXPECT_EQ(kWatcher.start(hook, ToC("{}"), ToC(R"({"greeting": ""})"), error.sink()), COSMOS_OK);
  const std::string event = run_.Event("job_submitted", "render").dump();
  EXPECT_EQ(kWatcher.on_event(hook, ToC(event), error.sink()), COSMOS_OK);
  EXPECT_EQ(kWatcher.stop(hook, error.sink()), COSMOS_OK);
  kWatcher.destroy(hook);
}

// A host may also have a run and yet lack a service for it.
TEST_F(HookTest, WorksWithoutTheServices) {
  host_.missing_services = {"cosmos.run/1", "cosmos.job_log/1"};
  run_.LogOf("render/1");
  ASSERT_EQ(run_.Start(kWatcher, Json::object()).status, COSMOS_OK);
  EXPECT_EQ(run_.OnEvent(run_.Event("job_submitted", "render")).status, COSMOS_OK);
  EXPECT_EQ(Lines(), "");
}

}  // namespace
}  // namespace cosmos::sdk
