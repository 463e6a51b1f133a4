#include "run/run_inputs.h"

#include <climits>
#include <cstdint>
#include <system_error>

#include "core/error.h"
#include "core/files.h"
#include "core/json_values.h"

namespace cosmos {
namespace fs = std::filesystem;

namespace {

Error Damaged(const fs::path& path, const std::string& reason) {
  return Error(ErrorCode::kIo, "cannot read '" + path.string() + "': " + reason,
               "restore it from a backup, or start the workflow again with `cosmos-engine run`");
}

// A double that is no integer, or a large one, has no value as one.
std::int64_t IntegerOf(const fs::path& path, const nlohmann::json& value, std::int64_t min, std::int64_t max) {
  const bool fits = value.is_number_integer() && value >= min && value <= max;
  if (!fits) throw Damaged(path, "found " + value.dump().substr(0, 40) + ", expected an integer");
  return value.get<std::int64_t>();
}

}  // namespace

void SaveRunInputs(const RunInputs& inputs, const fs::path& path) {
  const nlohmann::json saved = {{"v", 1},
                                {"workflow_path", inputs.workflow_path},
                                {"workflow_text", inputs.workflow_text},
                                {"used_workflows", inputs.used_workflows},
                                {"config_path", inputs.config_path},
                                {"config_text", inputs.config_text},
                                {"params", inputs.params},
                                {"target", inputs.target},
                                {"plugin_path", inputs.plugin_path},
                                {"working_folder", inputs.working_folder},
                                {"jobs", inputs.jobs},
                                {"priority", inputs.priority},
                                {"first_attempts", inputs.first_attempts},
                                {"targets", inputs.targets},
                                {"seeds", inputs.seeds},
                                {"owner", inputs.owner},
                                {"run",
                                 {{"workflow", inputs.workflow},
                                  {"prompt_name", inputs.prompt_name},
                                  {"started_at", TimeOrNull(inputs.started_at)},
                                  {"prompt_id", inputs.prompt_id},
                                  {"prompt", inputs.prompt},
                                  {"negative_prompt", inputs.negative_prompt}}}};
  WriteFileAtomically(path, saved.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

RunInputs LoadRunInputs(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw Error(ErrorCode::kNotFound, "the run's own files are gone: there is no " + path.string(),
                "start the workflow anew with `cosmos-engine run`");
  }
  RunInputs inputs;
  try {
    const nlohmann::json saved = ParseJson(ReadOwnFile(path), kOwnJson);
    inputs.workflow_path = saved.at("workflow_path");
    inputs.workflow_text = saved.at("workflow_text");
    inputs.used_workflows = saved.value("used_workflows", inputs.used_workflows);
    inputs.config_path = saved.at("config_path");
    inputs.config_text = saved.at("config_text");
    inputs.params = saved.at("params");
    inputs.target = saved.at("target");
    inputs.plugin_path = saved.at("plugin_path");
    inputs.working_folder = saved.at("working_folder");
    inputs.jobs = static_cast<decltype(inputs.jobs)>(IntegerOf(path, saved.at("jobs"), 0, INT64_MAX));
    inputs.priority = static_cast<int>(IntegerOf(path, saved.value("priority", nlohmann::json(0)), INT_MIN, INT_MAX));
    for (const auto& [key, attempt] : ObjectIn(saved, "first_attempts").items()) {
      inputs.first_attempts[key] = static_cast<int>(IntegerOf(path, attempt, 1, INT_MAX));
    }
    inputs.targets = saved.value("targets", nlohmann::json::object());
    inputs.seeds = ObjectIn(saved, "seeds");
    inputs.owner = saved.value("owner", "");
    if (!saved.contains("run")) return inputs;
    const nlohmann::json& run = saved["run"];
    inputs.workflow = run.at("workflow");
    inputs.prompt_name = run.at("prompt_name");
    if (run.at("started_at").is_string()) {
      inputs.started_at = UnixMilliseconds(ParseTime(run["started_at"].get<std::string>()));
    }
    inputs.prompt_id = run.at("prompt_id");
    inputs.prompt = run.at("prompt");
    inputs.negative_prompt = run.at("negative_prompt");
  } catch (const nlohmann::json::exception& reason) {
    throw Damaged(path, reason.what());
  } catch (const JsonError& reason) {
    throw Damaged(path, reason.what());
  }
  return inputs;
}

}  // namespace cosmos
