#pragma once

#include <cosmos/batch.hpp>
#include <cosmos/job_spec.hpp>
#include <cosmos/task.hpp>
#include <memory>
#include <vector>

#include "common/log_reader.h"

namespace cosmos::plugins {

// One model of the stage: what it takes, the job that runs it, and how its log is read. Without state; any thread.
class Model {
 public:
  virtual ~Model() = default;

  // What a workflow writes behind `model:`.
  virtual const char* name() const = 0;
  // One sentence.
  virtual const char* summary() const = 0;
  // The schema of its parameters, an object, without `model`.
  virtual sdk::Json Parameters() const = 0;
  // The job, made from the parameters and from what `task` gives, and from nothing else. Throws StageFailure
  // invalid_input for what the schema cannot tell.
  virtual sdk::JobSpec Build(sdk::Task& task, const sdk::Json& parameters) const = 0;
  // For the log of one job that makes so many videos, one after the other, with these parameters.
  virtual std::unique_ptr<LogReader> Reader(const sdk::Json& parameters, int clips) const = 0;

  // One job for several instances; see sdk::BatchStage. Only models whose schema has "x-batch" are asked for it.
  virtual sdk::BatchSpec BuildBatch(sdk::Task& task, const std::vector<sdk::BatchMember>& members) const;
};

// All of them, in the order in which people are told of them. They live as long as the program.
std::vector<const Model*> Models();

}  // namespace cosmos::plugins
