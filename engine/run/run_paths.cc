#include "run/run_paths.h"

#include <utility>

namespace cosmos {
namespace fs = std::filesystem;
namespace {

// `run_RUN_ID`, or the operation ID, which begins with `op_` itself; and for a later attempt `.attempt-N`, so that no
// attempt's log is ever lost.
std::string LogStem(const PluginFacts& plugin, const RunContext& context) {
  const std::string stem = plugin.log_is_operation ? context.operation_id : "run_" + context.run_id;
  return context.attempt == 1 ? stem : stem + ".attempt-" + std::to_string(context.attempt);
}

}  // namespace

RunPaths::RunPaths(fs::path output_dir, const std::string& run_id)
    : output_dir_(std::move(output_dir)), run_id_(run_id), folder_(output_dir_ / ".runs" / run_id) {}

bool RunPaths::Holds(const fs::path& path) const {
  std::error_code error;
  const fs::path root = fs::weakly_canonical(output_dir_, error);
  const fs::path real = fs::weakly_canonical(path, error);
  return !error && std::mismatch(root.begin(), root.end(), real.begin(), real.end()).first == root.end();
}

fs::path RunPaths::JobFolder(const RunContext& context) const {
  return folder_ / "jobs" / context.key() / std::to_string(context.attempt);
}

// A job's folder ends with …/STAGE.INSTANCE/ATTEMPT of the attempt that leads.
fs::path RunPaths::BatchLog(const fs::path& job_folder) const {
  return folder_ / "batches" /
         (job_folder.parent_path().filename().string() + "." + job_folder.filename().string() + ".log");
}

fs::path RunPaths::PluginFolder(const PluginFacts& plugin, const RunContext& context) const {
  std::string name = plugin.folder;
  const auto put = [&](std::string_view place, const std::string& value) {
    if (const size_t at = name.find(place); at != name.npos) name.replace(at, place.size(), value);
  };
  put("{prompt_id}", context.prompt_id);
  put("{prompt_name}", context.prompt_name);
  return output_dir_ / name;
}

fs::path RunPaths::StageFolder(const PluginFacts& plugin, const RunContext& context) const {
  return PluginFolder(plugin, context) / (plugin.log_is_operation ? context.operation_id : context.run_id);
}

fs::path RunPaths::StageLog(const PluginFacts& plugin, const RunContext& context) const {
  return PluginFolder(plugin, context) / "logs" / (LogStem(plugin, context) + ".log");
}

fs::path RunPaths::NewestLog(const PluginFacts& plugin, const RunContext& context) const {
  return PluginFolder(plugin, context) / "run.log";
}

}  // namespace cosmos
