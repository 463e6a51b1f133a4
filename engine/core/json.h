#pragma once

#include <nlohmann/json_fwd.hpp>

namespace cosmos {

// JSON values, with the keys of objects sorted. Headers include this one, sources <nlohmann/json.hpp>.
using Json = nlohmann::json;

}  // namespace cosmos
