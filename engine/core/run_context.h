#pragma once

#include <string>

namespace cosmos {

// The immutable value that every part of a run gets passed (DESIGN 2): who is doing this. Names and ids are safe names
// (core/ids.h); `instance` is empty for a stage without a matrix; `attempt` counts from 1.
struct RunContext {
  std::string run_id;
  std::string workflow;
  std::string prompt_name;
  std::string prompt_id;
  std::string operation_id;
  std::string stage;
  std::string instance;
  int attempt = 1;

  // `STAGE` or `STAGE.INSTANCE`: the key of a stage instance in messages, folders and records.
  std::string key() const { return instance.empty() ? stage : stage + "." + instance; }
};

}  // namespace cosmos
