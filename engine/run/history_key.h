#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/cancel.h"

namespace cosmos {

// The key under which the store keeps what was measured of a job: what its plugin says that it depends on, completed
// with what only the engine knows. `gpu` is the name of its GPUs, on which it takes as long on whichever target; where
// that is not known (empty), the target stands for it. Looks at the videos that `video` of the key is told by; when one
// cannot be read, frames and size stay 0. Throws nlohmann::json::exception when `video` has another shape.
std::string HistoryKey(nlohmann::json key, const std::string& uses, int gpus, const std::string& gpu,
                       const std::string& target, const CancelToken& cancel);

}  // namespace cosmos
