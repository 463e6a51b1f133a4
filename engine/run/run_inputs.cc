#include "run/run_inputs.h"

#include <system_error>

#include "core/error.h"
#include "core/files.h"

namespace cosmos {
namespace fs = std::filesystem;

void SaveRunInputs(const RunInputs& inputs, const fs::path& path) {
  const nlohmann::json saved = {{"v", 1},
                                {"workflow_path", inputs.workflow_path},
                                {"workflow_text", inputs.workflow_text},
                                {"config_path", inputs.config_path},
                                {"config_text", inputs.config_text},
                                {"params", inputs.params},
                                {"target", inputs.target},
                                {"plugin_path", inputs.plugin_path},
                                {"working_folder", inputs.working_folder},
                                {"jobs", inputs.jobs},
                                {"priority", inputs.priority},
                                {"targets", inputs.targets},
                                {"owner", inputs.owner}};
  WriteFileAtomically(path, saved.dump(2) + "\n");
}

RunInputs LoadRunInputs(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw Error(ErrorCode::kNotFound, "the run's own files are gone: there is no " + path.string(),
                "start the workflow anew with `cosmos-engine run`");
  }
  RunInputs inputs;
  try {
    const nlohmann::json saved = nlohmann::json::parse(ReadFile(path));
    inputs.workflow_path = saved.at("workflow_path");
    inputs.workflow_text = saved.at("workflow_text");
    inputs.config_path = saved.at("config_path");
    inputs.config_text = saved.at("config_text");
    inputs.params = saved.at("params");
    inputs.target = saved.at("target");
    inputs.plugin_path = saved.at("plugin_path");
    inputs.working_folder = saved.at("working_folder");
    inputs.jobs = saved.at("jobs");
    inputs.priority = saved.value("priority", 0);
    inputs.targets = saved.value("targets", nlohmann::json::object());
    inputs.owner = saved.value("owner", "");
  } catch (const nlohmann::json::exception& reason) {
    throw Error(ErrorCode::kIo, "cannot read '" + path.string() + "': " + reason.what());
  }
  return inputs;
}

}  // namespace cosmos
