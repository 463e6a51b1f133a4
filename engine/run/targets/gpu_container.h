#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "run/targets/target_facts.h"

namespace cosmos {

// Whether a host's container engine can give containers GPUs is not known before it has to: that takes NVIDIA's
// container toolkit, which `docker version` says nothing about.

// A script of /bin/sh that starts a container of the image with all GPUs, which ends at once and is removed. It prints
//   KEY         its exit status; `image` where the image is not there, which is not pulled for this
//   KEY_says    what the engine said
//   KEY_toolkit `no` where the image is not there, and nothing of the toolkit either
// `container` is that of a target or stage. REQUIRES: `tell` of the scripts that it becomes part of.
std::string GpuContainerScript(const nlohmann::json& container, const std::string& key);

struct GpuContainerVerdict {
  enum class Kind { kGives, kFails, kUnknown };
  Kind kind = Kind::kGives;
  std::string message;  // unless it gives GPUs, for people
  std::string hint;
};

GpuContainerVerdict JudgeGpuContainer(const nlohmann::json& container, const TargetFacts& facts,
                                      const std::string& key);

}  // namespace cosmos
