#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace cosmos {

// What a stage may find out about runs and their machines: the C++ side of the services of sdk/include/cosmos/plugin.h
// that look and change nothing, where the contracts stand. Functions may throw; any thread.
class Inspection {
 public:
  virtual ~Inspection() = default;

  virtual nlohmann::json RunOn(const std::string& target, const std::string& script, Duration longest) = 0;
  virtual nlohmann::json Commands(const std::string& run_id, const std::string& target, std::size_t limit) = 0;
  virtual nlohmann::json Facts(const std::string& run_id) = 0;
  virtual std::string Redact(std::string_view text) = 0;
};

}  // namespace cosmos
