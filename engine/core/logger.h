#pragma once

#include <string_view>

#include "core/run_context.h"

namespace cosmos {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Where engine and plugins write their own lines (not the output of jobs). Implementations are thread-safe and never
// throw. Each line carries run_id and stage of the context.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void Log(LogLevel level, const RunContext& context, std::string_view text) noexcept = 0;
};

}  // namespace cosmos
