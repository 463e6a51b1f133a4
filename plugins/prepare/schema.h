#pragma once

#include <cosmos/text.hpp>
#include <string>
#include <vector>

namespace cosmos::plugins {

// What `cosmos-engine prepare` can find, in the order in which it is shown; each is an output as well.
const std::vector<std::string>& PreparedControls();

// The JSON Schemas of the stage's parameters and outputs.
sdk::Json PrepareParameters();
sdk::Json PrepareOutputs();

}  // namespace cosmos::plugins
