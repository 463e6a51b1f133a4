#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/status.h"

namespace cosmos {

struct RetryPolicy {
  int attempts = 1;               // in all
  Duration backoff{};             // before the second attempt; doubles with each further one, at most 10 minutes
  std::vector<FailureKind> on;    // empty: every kind but cancelled and invalid_input
};

// One stage instance as it will be carried out. Texts may still hold expressions (`${{ … }}`) that refer to what only
// the run brings (stages.*, run.*, secrets.*); the rest (params, matrix, functions of them) is resolved.
struct StageInstance {
  std::string stage;
  std::string instance;           // empty without a matrix; else a safe name made of the matrix values
  std::string uses;
  std::string target = "local";
  std::vector<size_t> needs;      // indices into Plan::instances, all smaller than the own one
  nlohmann::json matrix = nlohmann::json::object();  // this instance's values
  nlohmann::json with = nlohmann::json::object();
  nlohmann::json env = nlohmann::json::object();     // texts
  std::string when;               // an expression without its ${{ }}, or empty
  std::string prompt_name;        // resolved, safe, with the matrix values appended
  RetryPolicy retry;
  std::optional<Duration> timeout;
  bool continue_on_error = false;
  int gpus = 0;
  std::string where;              // file:line:column

  std::string key() const { return instance.empty() ? stage : stage + "." + instance; }
};

struct HookUse {
  std::string id;
  nlohmann::json with = nlohmann::json::object();
  std::string where;
};

// A named secret: from the environment variable, or from the file (one of the two).
struct SecretSource {
  std::string name;
  std::string env;
  std::string file;
};

// A workflow that was checked, with its parameters, ready to run. A value.
struct Plan {
  std::string name;                                  // of the workflow; a safe name
  std::string prompt_name;                           // of the run: `prompt_name:` of the workflow, else its name
  nlohmann::json params = nlohmann::json::object();  // resolved
  std::vector<StageInstance> instances;              // in an order in which every stage stands after what it needs
  std::vector<StageInstance> on_failure;             // handlers, in their order; `needs` is empty
  std::vector<StageInstance> on_success;
  std::vector<StageInstance> on_exit;
  std::vector<HookUse> hooks;
  std::map<std::string, nlohmann::json> targets;     // by name, as the schema shapes them; "local" is always there
  std::vector<SecretSource> secrets;
};

}  // namespace cosmos
