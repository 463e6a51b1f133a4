// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_STAGE_HPP_
#define COSMOS_STAGE_HPP_

#include <cosmos/description.hpp>
#include <cosmos/task.hpp>

#include <string_view>
#include <utility>

namespace cosmos::sdk {

// What carries out a stage. One instance serves one attempt, on one thread; only Cancel comes from others. The host
// also makes an instance just to describe the plugin, so constructors do no work.
class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;

  virtual Description Describe() const = 0;

  // Carries out the stage and gives its outputs, an object. `parameters` is what stands below `with:`, checked against
  // the schema, with its defaults filled in. Throws StageFailure when the work failed, Cancelled when it was given up
  // after Cancel; any other exception counts as an error of the plugin.
  virtual Json Run(Task& task, const Json& parameters) = 0;

  // The spec of the job that Run would start, executing nothing. Parameters that are known only when the run is there
  // stand as their expressions, `${{ … }}`. An empty object: the stage starts no job.
  virtual Json Preview(Task& task, const Json& parameters) {
    static_cast<void>(task);
    static_cast<void>(parameters);
    return Json::object();
  }

  // Asks Run to return soon. Called from any thread, perhaps more than once. The engine itself ends a job.
  virtual void Cancel() {}
};

// A stage that is one durable job: it says what to run, and Run and Preview both follow from that, so a dry run shows
// exactly what would run. Needs the service cosmos.job/1, which need not be listed in its description.
class JobStage : public Stage {
 public:
  // The job, made from the parameters and from what `task` gives for inputs and output folder, and from nothing else.
  virtual JobSpec Build(Task& task, const Json& parameters) = 0;

  // The job's log as it grows; see Task::RunJob, and LineSplitter for lines.
  virtual void OnOutput(Task& task, std::string_view bytes) {
    static_cast<void>(task);
    static_cast<void>(bytes);
  }

  // The stage's outputs once the job has succeeded. `files` maps the names of the job's outputs to absolute local
  // paths.
  virtual Json Outputs(Task& task, const Json& parameters, Json files) {
    static_cast<void>(task);
    static_cast<void>(parameters);
    return files;
  }

  Json Run(Task& task, const Json& parameters) final {
    const JobSpec spec = Build(task, parameters);
    Json files = task.RunJob(spec, [&](std::string_view bytes) { OnOutput(task, bytes); });
    return Outputs(task, parameters, std::move(files));
  }

  Json Preview(Task& task, const Json& parameters) final { return Build(task, parameters).ToJson(); }
};

}  // namespace cosmos::sdk

#endif  // COSMOS_STAGE_HPP_
