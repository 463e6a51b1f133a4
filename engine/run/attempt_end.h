#pragma once

#include <exception>
#include <nlohmann/json.hpp>
#include <string>

#include "core/status.h"

namespace cosmos {

// Why a run that its engine cancelled ended so, and the stages of it that had not begun.
inline constexpr const char* kRunCancelled = "the run was cancelled";

// How one attempt of a stage instance ended.
struct AttemptEnd {
  Status status = Status::kSucceeded;  // succeeded, failed, cancelled or skipped
  Failure failure;
  nlohmann::json outputs = nlohmann::json::object();
  std::string log_path;      // empty when the attempt left no log
  std::string progress;      // the latest, as the store keeps it
  bool left_behind = false;  // something of its job may still run, so there must not be another attempt
};

// What an exception means for the attempt that met it; one that is no Error of the engine is the plugin's.
Failure FailureOf(const std::exception& exception);

}  // namespace cosmos
