#pragma once

#include <filesystem>
#include <string>

#include "core/run_context.h"
#include "workflow/plugin_facts.h"

namespace cosmos {

// Where the files of one run stand (DESIGN 6). A value; makes nothing.
class RunPaths {
 public:
  // `output_dir` must be absolute.
  RunPaths(std::filesystem::path output_dir, const std::string& run_id);

  const std::filesystem::path& output_dir() const { return output_dir_; }
  // Whether a path, as records have it, is below the output folder when its links are followed.
  bool Holds(const std::filesystem::path& path) const;
  // OUTPUT_DIR/.runs/RUN_ID, with all that belongs to the run itself.
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path lock() const { return folder_ / "lock"; }
  std::filesystem::path journal() const { return folder_ / "events.jsonl"; }
  std::filesystem::path engine_log() const { return folder_ / "engine.log"; }
  // What was asked of the run's targets; see command_log.h.
  std::filesystem::path commands() const { return folder_ / "commands.jsonl"; }
  std::filesystem::path inputs() const { return folder_ / "run.json"; }
  // What the GPUs of an attempt did, sample by sample.
  std::filesystem::path GpuSeries(const RunContext& context) const {
    return folder_ / "gpus" / (context.key() + "." + std::to_string(context.attempt) + ".jsonl");
  }
  // The log of a job that several attempts share, by the job's folder.
  std::filesystem::path BatchLog(const std::filesystem::path& job_folder) const;
  // On the local machine.
  std::filesystem::path JobFolder(const RunContext& context) const;

  // For a stage's own files and for its log, by what its plugin says of them.
  std::filesystem::path StageFolder(const PluginFacts& plugin, const RunContext& context) const;
  std::filesystem::path StageLog(const PluginFacts& plugin, const RunContext& context) const;
  // For what is found out about a failed run, by the prompt_id of the run or of a stage of it.
  std::filesystem::path Diagnostics(const std::string& prompt_id) const {
    return output_dir_ / prompt_id / "diagnostics" / run_id_;
  }
  // The link that always names the newest log of a prompt_name.
  std::filesystem::path NewestLog(const PluginFacts& plugin, const RunContext& context) const;

 private:
  std::filesystem::path PluginFolder(const PluginFacts& plugin, const RunContext& context) const;

  std::filesystem::path output_dir_;
  std::string run_id_;
  std::filesystem::path folder_;
};

}  // namespace cosmos
