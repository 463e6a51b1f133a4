#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"
#include "core/status.h"

namespace cosmos {

// How one attempt of a stage instance ended.
struct AttemptEnd {
  Status status = Status::kSucceeded;  // succeeded, failed, cancelled or skipped
  Failure failure;
  nlohmann::json outputs = nlohmann::json::object();
  std::string log_path;  // empty when the attempt left no log
  std::string progress;  // the latest, as the store keeps it
};

// What an error of the engine means for the attempt that met it.
FailureKind KindOf(const Error& error);

}  // namespace cosmos
