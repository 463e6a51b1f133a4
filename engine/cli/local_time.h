#pragma once

#include <cstdint>
#include <string>

namespace cosmos {

// A time of the store (milliseconds, UTC) as people here read it: `2026-11-26 04:31:05`, in the local time zone.
std::string LocalTime(std::int64_t unix_milliseconds);

}  // namespace cosmos
