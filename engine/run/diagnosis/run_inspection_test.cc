#include "run/diagnosis/run_inspection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "core/error.h"
#include "core/files.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// Runs in a store of their own, and targets.
class RunInspectionTest : public ::testing::Test {
 protected:
  RunInspectionTest() : plugins_({}) {
    char name[] = "/tmp/run_inspection_test-XXXXXX";
    folder_ = ::mkdtemp(name);
    store_ = RunStore::Open((folder_ / "runs.db").string());
    sources_.targets["local"] = {{"local", json::object()}};
    sources_.plugins = &plugins_;
    sources_.read = [this](const std::function<void(RunStore&)>& work) { work(*store_); };
  }
  ~RunInspectionTest() override { fs::remove_all(folder_); }

  void AddRun(const std::string& run_id) {
    RunRecord run;
    run.run_id = run_id;
    run.workflow = "w";
    run.output_dir = folder_;
    run.status = "failed";
    run.error_message = "no gold-token";
    store_->PutRun(run);
    MakeFolders(folder_ / ".runs" / run_id);
  }
  static double Took(const std::function<void()>& work) {
    const SteadyTime begin = std::chrono::steady_clock::now();
    work();
    return Seconds(std::chrono::steady_clock::now() - begin);
  }

  fs::path folder_;
  std::unique_ptr<RunStore> store_;
  const Catalogue plugins_;
  InspectionSources sources_;
  CancelToken cancel_;
};

TEST_F(RunInspectionTest, FactsOfARun) {
  AddRun("rs_1");
  sources_.masker = MaskerOf({{"token", "gold-token"}});
  sources_.secrets = {"token"};
  RunInspection inspection(&sources_, &cancel_);
  json facts = inspection.Facts("rs_1");
  EXPECT_EQ(facts["run_id"], "rs_1");
  EXPECT_EQ(facts["error_message"], "no ***");
  EXPECT_EQ(facts["secrets"], json({"token"}));
  EXPECT_TRUE(facts["workflow_text"].is_null());  // its folder does not tell
  EXPECT_FALSE(facts["versions"]["engine"].get<std::string>().empty());
  WriteFile(folder_ / ".runs/rs_1/run.json",
            R"({"workflow_path": "w.yaml", "workflow_text": "a gold-token", "config_path": "", "config_text": "",
                "params": {"p": "gold-token"}, "target": "", "plugin_path": "", "working_folder": "/", "jobs": 1})");
  facts = inspection.Facts("rs_1");
  EXPECT_EQ(facts["workflow_text"], "a ***");
  EXPECT_EQ(facts["params"]["p"], "***");
  try {
    inspection.Facts("rs_2");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.message(), HasSubstr("there is no run 'rs_2'"));
  }
}

// Who carries the run out holds its lock, and loses it by looking at it.
TEST_F(RunInspectionTest, OfTheOwnRunTheLockIsNotLookedAt) {
  AddRun("rs_1");
  RunRecord run = store_->GetRun("rs_1");
  run.status = "running";
  store_->PutRun(run);
  sources_.own_run = "rs_1";
  RunInspection inspection(&sources_, &cancel_);
  EXPECT_EQ(inspection.Facts("rs_1")["engine_alive"], true);
  EXPECT_FALSE(fs::exists(folder_ / ".runs/rs_1/lock"));
  sources_.own_run.clear();
  EXPECT_EQ(inspection.Facts("rs_1")["engine_alive"], false);
}

TEST_F(RunInspectionTest, CommandsOfARun) {
  AddRun("rs_1");
  AppendToFile(folder_ / ".runs/rs_1/commands.jsonl",
               "{\"target\": \"a\", \"what\": \"1\"}\n{\"target\": \"b\", \"what\": \"2\"}\n");
  RunInspection inspection(&sources_, &cancel_);
  EXPECT_EQ(inspection.Commands("rs_1", "", 10).size(), 2u);
  EXPECT_EQ(inspection.Commands("rs_1", "", 1)[0]["what"], "2");
  EXPECT_EQ(inspection.Commands("rs_1", "a", 10), json::parse(R"([{"target": "a", "what": "1"}])"));
}

TEST_F(RunInspectionTest, SecretsAreFoundAsTheyStandElsewhere) {
  const std::string key = "-----BEGIN KEY-----\nfirst line of it\nsecond line\n-----END KEY-----";
  sources_.masker = MaskerOf({{"quoted", "it\"s\\gold"}, {"key", key}});
  RunInspection inspection(&sources_, &cancel_);
  EXPECT_EQ(inspection.Redact("x it\"s\\gold y"), "x *** y");
  EXPECT_EQ(inspection.Redact(json{{"a", "it\"s\\gold"}}.dump()), "{\"a\":\"***\"}");
  EXPECT_EQ(inspection.Redact("a: first line of it"), "a: ***");
  EXPECT_EQ(inspection.Redact(json(key).dump()), "\"***\"");
}

TEST_F(RunInspectionTest, AScriptOnATarget) {
  RunInspection inspection(&sources_, &cancel_);
  const json output = inspection.RunOn("local", "echo out; exit 3", seconds(10));
  EXPECT_EQ(output["output"], "out\n");
  EXPECT_EQ(output["exit_status"], 3);
  EXPECT_EQ(output["timed_out"], false);
  EXPECT_THROW(inspection.RunOn("nowhere", "true", seconds(1)), Error);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      EXPECT_EQ(inspection.RunOn("local", "echo " + std::to_string(i), seconds(30))["output"],
                std::to_string(i) + "\n");
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(RunInspectionTest, OneThatHangsIsEndedWithWhatItPrinted) {
  RunInspection inspection(&sources_, &cancel_);
  json output;
  EXPECT_LT(Took([&] { output = inspection.RunOn("local", "echo begun; sleep 1000", milliseconds(300)); }), 20);
  EXPECT_EQ(output["output"], "begun\n");
  EXPECT_EQ(output["timed_out"], true);
}

// A host that takes connections and says nothing.
class SilentHost {
 public:
  SilentHost() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address_), size), 0);
    EXPECT_EQ(::listen(socket_.get(), 8), 0);
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address_), &size);
  }
  json Config() const { return {{"ssh", {{"host", "127.0.0.1"}, {"port", ntohs(address_.sin_port)}}}}; }

 private:
  Fd socket_;
  sockaddr_in address_{};
};

TEST_F(RunInspectionTest, AHostThatSaysNothingIsGivenUpAndNotAskedAgain) {
  const SilentHost host;
  sources_.targets["gpu1"] = host.Config();
  auto inspection = std::make_unique<RunInspection>(&sources_, &cancel_);
  const auto ask = [&] {
    try {
      inspection->RunOn("gpu1", "true", milliseconds(300));
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kConnectionLost) << error.what();
    }
  };
  EXPECT_LT(Took(ask), 8);  // less than it takes to connect at most
  EXPECT_LT(Took(ask), 8);
  EXPECT_LT(Took([&] { inspection.reset(); }), 8);
}

TEST_F(RunInspectionTest, NobodyWaitsOnceItIsCancelled) {
  RunInspection inspection(&sources_, &cancel_);
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(200));
    cancel_.Cancel();
  });
  EXPECT_LT(Took([&] { EXPECT_THROW(inspection.RunOn("local", "sleep 3", seconds(3)), Error); }), 2.5);
  canceller.join();
}

}  // namespace
}  // namespace cosmos
