#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/run_store.h"

namespace cosmos {

// Puts the path of an earlier run's output in place of each `NAME=run:RUN/STAGE[.INSTANCE]/OUTPUT` of `-p`, RUN being
// as FindRun takes it, such as `-p video=run:last/render/video`; other values stay. `open_store` is called when there
// is one of that form. Throws Error{kInvalidInput} that says what there is instead, and what FindRun throws.
std::vector<std::string> WithOutputsOfRuns(const std::vector<std::string>& overrides,
                                           const std::function<std::unique_ptr<RunStore>()>& open_store);

}  // namespace cosmos
