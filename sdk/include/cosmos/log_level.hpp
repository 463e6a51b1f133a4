// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_LOG_LEVEL_HPP_
#define COSMOS_LOG_LEVEL_HPP_

#include <cosmos/plugin.h>

#include <cstdint>

namespace cosmos::sdk {

enum class LogLevel : std::int32_t {
  kDebug = COSMOS_LOG_DEBUG,
  kInfo = COSMOS_LOG_INFO,
  kWarning = COSMOS_LOG_WARNING,
  kError = COSMOS_LOG_ERROR
};

}  // namespace cosmos::sdk

#endif  // COSMOS_LOG_LEVEL_HPP_
