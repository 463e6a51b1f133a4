#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "run/targets/target_facts.h"
#include "target/gpu/gpu_reading.h"

namespace cosmos {

// One thing that was looked at on a target.
struct TargetCheck {
  enum class Result { kOk, kInfo, kWarning, kFailed };

  std::string name;  // connection, host_key, clock, workdir, disk, tools, gpus, container, image,
                     // container_gpus
  Result result = Result::kOk;
  std::string message;  // what was found and, where that is not good, what was expected
  std::string hint;     // how to mend it
};

using TargetChecks = std::vector<TargetCheck>;

std::string_view ToString(TargetCheck::Result result);
// Whether nothing failed.
bool AllGood(const TargetChecks& checks);

// What the facts of a target and its GPUs come to, which were asked for and came at the given times. Looks at nothing
// but them.
TargetChecks JudgeTarget(const nlohmann::json& config, const std::string& workdir, const TargetFacts& facts,
                         const GpuReading& gpus, WallTime asked, WallTime answered);

}  // namespace cosmos
