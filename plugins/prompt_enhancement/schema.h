#pragma once

#include <cosmos/text.hpp>

// What the stage says of its parameters and outputs.
namespace cosmos::plugins {

// A schema with a branch for each back end, chosen by `backend`.
sdk::Json ParameterSchema();
sdk::Json OutputSchema();

}  // namespace cosmos::plugins
