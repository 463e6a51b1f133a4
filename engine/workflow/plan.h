#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/status.h"

namespace cosmos {

struct RetryPolicy {
  int attempts = 1;             // in all
  Duration backoff{};           // before the second attempt; doubles with each further one, at most 10 minutes
  std::vector<FailureKind> on;  // empty: every kind but cancelled and invalid_input
  // What is changed, one step more with each attempt that runs out of GPU memory, besides `attempts`: "offload",
  // "more_gpus" (twice as many, as far as the target has them), "fewer_frames".
  std::vector<std::string> on_oom;

  bool operator==(const RetryPolicy&) const = default;
};

// What an instance's expressions see of another stage.
struct SeenStage {
  std::vector<size_t> instances;  // indices into Plan::instances, in their order
  bool single = false;            // it is exactly one, whatever the params: its value is no list
};

// One stage instance as it will be carried out. `with` and `env` are templates: their texts may still hold expressions
// (`${{ … }}`) that refer to what only the run brings (stages.*, run.*, secrets.*), the rest (params, matrix, env) is
// put in, escaped so that no text of a user is taken for an expression. They are to be given to Resolve (expression.h)
// once.
struct StageInstance {
  std::string stage;
  std::string instance;  // empty without a matrix; else a safe name made of the matrix values
  std::string uses;
  std::string target = "local";
  std::vector<size_t> needs;  // indices into Plan::instances, all smaller than the own one
  // The stages that its expressions refer to. An instance sees those that have its values of the matrix keys they
  // share; a handler (on_failure and its like) sees all.
  std::map<std::string, SeenStage> sees;
  nlohmann::json matrix = nlohmann::json::object();  // this instance's values
  nlohmann::json with = nlohmann::json::object();
  nlohmann::json env = nlohmann::json::object();  // texts
  std::string when;                               // an expression without its ${{ }}, or empty
  std::string when_as_written;                    // for people; empty without a condition
  bool tolerated = false;                         // its failure fails no run: `continue_on_error` of what it is part of
  bool ends_workflow = false;                     // the end of a workflow that a stage uses, with its outputs
  bool after_failure = false;                     // its `when` asks for failed(): it runs whatever its needs came to
  std::string prompt_name;                        // resolved, safe, with the matrix values appended
  RetryPolicy retry;
  std::optional<Duration> timeout;
  std::optional<Duration> stall_timeout;  // how long its job may write nothing to its log
  bool continue_on_error = false;
  int gpus = 0;
  std::string gpu_busy = "wait";  // or fail, ignore: about GPUs that somebody else's programs use
  int most_gpus = 0;              // that its target has; never less than `gpus`
  int max_parallel = 0;           // of the stage's instances at once; 0: any number
  int batch = -1;                 // those with the same number are one job where they can be; -1: a job of its own
  std::string batch_note;         // why it is in no batch although that was asked for
  nlohmann::json container;       // its target's, with what it changes of it; null: none
  std::string where;              // file:line:column

  // Whether its failure fails no run.
  bool is_tolerated() const { return continue_on_error || tolerated; }
  std::string key() const { return instance.empty() ? stage : stage + "." + instance; }
};

struct HookUse {
  std::string id;
  nlohmann::json with = nlohmann::json::object();  // templates, as StageInstance::with
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
  std::string name;         // of the workflow; a safe name
  std::string prompt_name;  // of the run: `prompt_name:` of the workflow, else its name
  nlohmann::json params =
      nlohmann::json::object();           // resolved; given as CheckInput::params_text, they make the plan again
  std::vector<StageInstance> instances;   // in an order in which every stage stands after what it needs
  std::vector<StageInstance> on_failure;  // handlers, in their order; `needs` is empty
  std::vector<StageInstance> on_success;
  std::vector<StageInstance> on_exit;
  std::vector<HookUse> hooks;
  bool diagnostics = true;  // whether a failed run is diagnosed, unless a handler of on_failure does it
  std::int64_t max_log_bytes = 100'000'000;       // of each local log file
  std::map<std::string, nlohmann::json> targets;  // by name, as the schema shapes them; "local" is always there
  std::vector<SecretSource> secrets;

  // Of a workflow that another one uses as a stage: templates, and what they refer to.
  nlohmann::json outputs = nlohmann::json::object();
  std::map<std::string, SeenStage> outputs_see;
  std::map<std::string, std::string> used_workflows;  // the texts of those that its stages use, by absolute path
};

}  // namespace cosmos
