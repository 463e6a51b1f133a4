// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_SDK_TESTING_FAKE_HOST_H_
#define COSMOS_SDK_TESTING_FAKE_HOST_H_

#include <cosmos/plugin.h>

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace cosmos::sdk::testing {

// A host for tests of plugins: its services keep what they were told, and its job service really runs the job with
// /bin/sh, in a folder of its own. Owns its temporary folder, which ends with it. One plugin, one thread.
class FakeHost {
 public:
  struct LogLine {
    int level;
    std::string text;
  };
  struct Report {
    double done;
    double total;
    std::string phase;
    double eta = -1;       // less than 0: not known
    bool has_eta = false;  // whether the plugin told the rest itself
  };
  struct Result {
    cosmos_status status;
    nlohmann::json json;  // what the plugin gave; null when it is no JSON
    std::string text;     // the same, as it came
  };

  FakeHost();
  ~FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  // Describes the plugin, fills in the parameters' defaults as the engine does, and carries the stage out.
  Result Run(const cosmos_plugin_entry_t& entry, const nlohmann::json& parameters);
  Result Preview(const cosmos_plugin_entry_t& entry, const nlohmann::json& parameters);
  Result Init(const cosmos_plugin_entry_t& entry);

  const cosmos_host* host() const { return &host_.c; }
  std::filesystem::path folder() const { return folder_; }
  std::filesystem::path output_folder() const { return folder_ / "job's output"; }  // a name that needs quoting
  // Everything the job printed.
  const std::string& job_log() const { return job_log_; }
  std::string LogText() const;

  // What the plugin told the services, in order.
  std::vector<LogLine> log;
  std::vector<Report> progress;
  std::map<std::string, std::vector<nlohmann::json>> history;  // timings by the text of their key, newest first
  std::vector<nlohmann::json> prompts;
  std::vector<std::string> artifacts;
  std::vector<nlohmann::json> specs;

  std::set<std::string> missing_services;
  std::map<std::string, nlohmann::json> containers;  // by run_id; what cosmos.target/1 tells
  // What cosmos.store/1 tells of a run and cosmos.target/1 of its commands, by run_id.
  std::map<std::string, nlohmann::json> runs;
  std::map<std::string, nlohmann::json> commands;
  // By target: answers a script instead of running it with this machine's /bin/sh, from any thread; gives the result as
  // cosmos.target/1 does, or throws what `connection_lost` is to say. A target that is no key cannot be reached.
  using Answer = std::function<nlohmann::json(const std::string& script, std::int64_t milliseconds)>;
  std::map<std::string, Answer> targets;
  // An answer that really runs the script, with more in its environment and the time that it is given.
  static Answer Shell(std::map<std::string, std::string> environment = {});
  std::vector<std::string> secrets;  // what `redact` replaces
  nlohmann::json context;
  // Pieces in which the job's log is given to the plugin, in bytes.
  std::size_t piece = 4096;
  // When not empty: how the next job ends, instead of being run.
  cosmos_status job_status = COSMOS_OK;
  std::string job_result;

 private:
  struct CHost {
    cosmos_host c;
    FakeHost* self;
  };
  struct Calls;

  cosmos_status RunJob(const nlohmann::json& spec, void (*on_output)(void*, cosmos_str), void* self,
                       cosmos_sink result);
  Result Call(const cosmos_plugin_entry_t& entry, const nlohmann::json& parameters, bool preview);

  CHost host_;
  std::filesystem::path folder_;
  std::string job_log_;
  bool previewing_ = false;
};

// What `entry` says of itself; throws when it does not.
nlohmann::json Describe(const cosmos_plugin_entry_t& entry);

// `parameters` with the defaults of the plugin's schema filled in, as the engine does it.
nlohmann::json Completed(const cosmos_plugin_entry_t& entry, const nlohmann::json& parameters);

// Loads `file` as the engine does and gives its entry; throws with the linker's message. Never unloaded.
const cosmos_plugin_entry_t& LoadPlugin(const std::filesystem::path& file);

// Runs a command of /bin/sh and gives what it printed, without the last line end; throws when its exit status is not 0.
std::string Shell(const std::string& command);

}  // namespace cosmos::sdk::testing

#endif  // COSMOS_SDK_TESTING_FAKE_HOST_H_
