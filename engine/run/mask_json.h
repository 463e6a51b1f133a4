#pragma once

#include <nlohmann/json.hpp>

#include "core/masker.h"

namespace cosmos {

// `value` with the secrets in all its texts, numbers and keys masked.
nlohmann::json MaskJson(const nlohmann::json& value, const Masker& masker);

}  // namespace cosmos
