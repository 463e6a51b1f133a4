#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace cosmos {

// All that a run was started from, kept beside it (OUTPUT_DIR/.runs/RUN_ID/run.json) so that another engine can make
// the same plan again although the workflow's file may have changed. A value. Holds no secrets.
struct RunInputs {
  std::string workflow_path;  // absolute, for messages
  std::string workflow_text;
  std::map<std::string, std::string> used_workflows;  // the texts of those that its stages use, by absolute path
  std::string config_path;                            // of the user's configuration, empty without one
  std::string config_text;
  nlohmann::json params = nlohmann::json::object();  // resolved
  std::string target;                                // of --target, or empty
  std::string plugin_path;                           // of --plugin-path, or empty
  std::string working_folder;                        // absolute; relative paths of the workflow start here
  std::size_t jobs = 1;
  int priority = 0;  // of its stages among those that wait for GPUs
  // From which attempt on `retry` wants the results of an instance (by its key); earlier ones do not count.
  std::map<std::string, int> first_attempts;
  nlohmann::json targets = nlohmann::json::object();  // resolved, by name
  nlohmann::json seeds = nlohmann::json::object();    // of the instances that have one, by key
  // Tells this run from every other one, also of the same ID: a token of NewToken. Empty in runs of older versions.
  std::string owner;

  // What the store's record of the run begins with, to restore it from. Files of older versions lack it.
  std::string workflow;  // its name
  std::string prompt_name;
  std::int64_t started_at = 0;  // milliseconds since the Unix epoch
  std::string prompt_id;
  std::string prompt;
  std::string negative_prompt;
};

// Throw Error{kIo}; Load also Error{kNotFound} with what to do when the run's folder is gone.
void SaveRunInputs(const RunInputs& inputs, const std::filesystem::path& path);
RunInputs LoadRunInputs(const std::filesystem::path& path);

}  // namespace cosmos
