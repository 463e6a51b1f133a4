// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_CONTEXT_HPP_
#define COSMOS_CONTEXT_HPP_

#include <cosmos/parse_json.hpp>
#include <cosmos/text.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace cosmos::sdk {

// Who is doing this: the run, and for a stage its place in it and what it may use. `instance` is empty without a
// matrix; `attempt` counts from 1. A value.
struct Context {
  std::string run_id;
  std::string workflow;
  std::string prompt_name;
  std::string prompt_id;
  std::string operation_id;
  std::string stage;
  std::string instance;
  int attempt = 1;
  int gpus = 0;  // that the attempt may use
  // What is to be changed because earlier attempts ran out of GPU memory, in the order in which it came: "offload",
  // "more_gpus" (`gpus` is larger already), "fewer_frames".
  std::vector<std::string> oom_steps;
  bool resumed = false;  // an earlier engine began the attempt; of its job's log only what that one did not see comes

  // Throws when `text` is no JSON object; keys that are not there keep their defaults.
  static Context Parse(std::string_view text) {
    const Json json = ParseJson(text, kOwnJson);
    Context context;
    context.run_id = json.value("run_id", "");
    context.workflow = json.value("workflow", "");
    context.prompt_name = json.value("prompt_name", "");
    context.prompt_id = json.value("prompt_id", "");
    context.operation_id = json.value("operation_id", "");
    context.stage = json.value("stage", "");
    context.instance = json.value("instance", "");
    context.attempt = json.value("attempt", 1);
    context.gpus = json.value("gpus", 0);
    context.oom_steps = json.value("oom_steps", std::vector<std::string>());
    context.resumed = json.value("resumed", false);
    return context;
  }
};

}  // namespace cosmos::sdk

#endif  // COSMOS_CONTEXT_HPP_
