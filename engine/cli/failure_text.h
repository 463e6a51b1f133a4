#pragma once

#include <string>

namespace cosmos {

// The reason alone in a failure's message, such as "stage 'a' failed: REASON; see its log PATH", for where the stage,
// by its `key`, and its log stand beside it.
std::string ReasonOf(const std::string& message, const std::string& key);

}  // namespace cosmos
