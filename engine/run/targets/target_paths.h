#pragma once

#include <string>

#include "core/run_context.h"

namespace cosmos {

// Where the files of runs stand on a target that is another machine (DESIGN 6): below WORKDIR/.cosmos, and the links to
// the newest logs below WORKDIR/outputs. A value; makes nothing.
class TargetPaths {
 public:
  explicit TargetPaths(std::string workdir) : workdir_(std::move(workdir)) {}

  std::string JobsOfRuns() const { return workdir_ + "/.cosmos/jobs"; }
  std::string JobFolder(const RunContext& context) const {
    return JobsOfRuns() + "/" + context.run_id + "/" + context.key() + "/" + std::to_string(context.attempt);
  }
  std::string NewestLog(const RunContext& context) const {
    return workdir_ + "/outputs/" + context.prompt_name + "/run.log";
  }
  std::string AllInputs() const { return workdir_ + "/.cosmos/inputs"; }
  // Inputs are told apart by their content, so what one run has brought another one finds.
  std::string Input(const std::string& digest, const std::string& name) const {
    return AllInputs() + "/" + digest.substr(0, 32) + "/" + name;
  }

 private:
  std::string workdir_;
};

}  // namespace cosmos
