#pragma once

#include <chrono>
#include <cosmos/text.hpp>

namespace cosmos::plugins {

// A duration as workflows write it: "500ms", "2s", "5m", "2h", "1d", a sum such as "1h30m", or a number of seconds,
// also as a JSON number. Rounded up to whole milliseconds. Throws std::invalid_argument for anything else, for a
// negative one, and for more than a hundred years.
std::chrono::milliseconds ParseDuration(const sdk::Json& value);

// The duration `key` of the parameters, at least `least`; `owner` has them, such as "hook 'log-streamer'", and
// `example` is one that will do. Throws std::invalid_argument that names both.
std::chrono::milliseconds DurationIn(const sdk::Json& parameters, const std::string& key, const std::string& owner,
                                     const std::string& example,
                                     std::chrono::milliseconds least = std::chrono::milliseconds(1));

}  // namespace cosmos::plugins
