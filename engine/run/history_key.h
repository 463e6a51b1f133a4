#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace cosmos {

// The key under which the store keeps what was measured of a job: what its plugin says that it depends on, completed
// with what only the engine knows. `gpu` is the name of its GPUs, on which it takes as long on whichever target; where
// that is not known (empty), the target stands for it. Pure.
inline std::string HistoryKey(nlohmann::json key, const std::string& uses, int gpus, const std::string& gpu,
                              const std::string& target) {
  key["uses"] = uses;
  key["gpus"] = gpus;
  key[gpu.empty() ? "target" : "gpu"] = gpu.empty() ? target : gpu;
  return key.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace cosmos
