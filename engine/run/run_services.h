#pragma once

#include <map>
#include <string>

#include "core/clock.h"
#include "core/logger.h"
#include "core/masker.h"
#include "event/bus.h"
#include "job/gpu_leases.h"
#include "job/job_runner.h"
#include "plugin/catalogue.h"
#include "run/diagnosis/run_inspection.h"
#include "run/run_paths.h"
#include "store/store_writer.h"
#include "target/target.h"

namespace cosmos {

class GpuSamples;

// The parts of the engine that carrying out a stage takes, put together once a run and passed on. Owns nothing; all of
// it outlives the run.
struct RunServices {
  Clock* clock;
  Logger* logger;
  const Masker* masker;
  EventBus* bus;
  StoreWriter* store;
  RunStore* records;  // the same store, for reading at once
  const Catalogue* plugins;
  JobRunner* jobs;
  GpuLeases* leases;
  GpuSamples* samples;
  const RunPaths* paths;
  const std::map<std::string, Target*>* targets;  // by name
  const InspectionSources* inspection;
  std::string owner;  // RunInputs::owner
};

}  // namespace cosmos
