#pragma once

#include <cosmos/text.hpp>
#include <string>
#include <vector>

namespace cosmos::plugins {

// The words behind `cosmos-engine` that prepare the frames. `folder` is where they are on the target, `output` the
// folder there for what is made. Throws StageFailure invalid_input for a text that no command line can hold.
std::vector<std::string> PrepareWords(const sdk::Json& parameters, const std::string& folder,
                                      const std::string& output);

}  // namespace cosmos::plugins
