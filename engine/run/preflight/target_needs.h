#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "job/container_engine.h"
#include "run/preflight/preflight.h"
#include "run/preflight/stage_needs.h"
#include "run/targets/target_facts.h"

namespace cosmos {

// Where on the host the file of a stage is, absolute or below the home folder by `~/`: a relative one is below the
// folder that the job works in, and one of a container below a mount. nullopt: inside its image, where nobody can look.
std::optional<std::string> PathOnHost(const StageNeeds& needs, const std::string& file, const std::string& workdir);

// A path on the host as a word of its shell, which knows the home folder.
std::string PathWord(const std::string& path);

// What is asked of a target before a run, all in one script, and what its answers come to. Looks at nothing itself. For
// one thread.
class TargetQuestions {
 public:
  // `workdir` is absolute.
  explicit TargetQuestions(std::string workdir) : workdir_(std::move(workdir)) {}

  void Ask(const StageNeeds& needs);
  // It prints, of what was asked for:
  //   file_I, program_I       `yes` or `no`
  //   free                    bytes of workdir's disk
  //   what GpuScript prints
  //   gpu_container_I and its like, see gpu_container.h
  //   image_I, image_says_I   `there`, `pullable`, `absent`, or `unknown` without a container engine that works; why
  //   download_I, download_path_I   see download_needs.h
  std::string Script() const;
  // What they come to, but for the GPUs (gpu_needs.h). REQUIRES: the answers are those to Script() after the needs were
  // asked for.
  PreflightFindings Judge(const StageNeeds& needs, const TargetFacts& answers) const;

 private:
  struct Image {
    ContainerEngine engine;
    std::string name;
    auto operator<=>(const Image&) const = default;
  };
  using Numbers = std::map<std::string, int>;  // of what was asked for

  std::string GpuContainerKey(const Image& image) const;
  // Of an image with the entrypoint that the stage has for it.
  static std::string EntrypointOf(const StageNeeds& needs);
  static Image ImageOf(const StageNeeds& needs);
  // The one that the stage's files are in, if it is known and can be looked at.
  std::optional<std::string> FolderOf(const StageNeeds& needs) const;
  void JudgeFiles(const StageNeeds& needs, const TargetFacts& answers, PreflightFindings* findings) const;
  void JudgeImage(const StageNeeds& needs, const TargetFacts& answers, PreflightFindings* findings) const;

  void JudgeEntrypoint(const StageNeeds& needs, const TargetFacts& answers, PreflightFindings* findings) const;
  void JudgeGpuContainer(const StageNeeds& needs, const TargetFacts& answers, PreflightFindings* findings) const;

  const std::string workdir_;
  Numbers files_;
  Numbers programs_;
  Numbers downloads_;  // by the lines that tell their path
  std::map<Image, int> images_;
  std::map<Image, nlohmann::json> gpu_containers_;                     // of images that are to have GPUs
  std::map<std::string, std::pair<nlohmann::json, int>> entrypoints_;  // containers by EntrypointOf
  bool gpus_ = false;
  bool disk_ = false;
};

constexpr int kQuestionsTime = 180;  // seconds

}  // namespace cosmos
