#pragma once

#include <chrono>
#include <cosmos/task.hpp>
#include <string>

#include "diagnostics/item.h"

namespace cosmos::plugins {

// A script that ends with this status has nothing to look at, and printed why.
constexpr int kNothingThere = 77;

// Runs a script of /bin/sh on a target and gives what it printed. That it failed, took too long or printed what is no
// text is the found `problem`; a target that cannot be reached is thrown. Throws Skipped for kNothingThere.
Found RunScript(sdk::Task* task, const std::string& target, const std::string& script, std::chrono::milliseconds limit);

// The last line of it that is not empty, shortened.
std::string LastLine(const std::string& text);

}  // namespace cosmos::plugins
