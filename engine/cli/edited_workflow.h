#pragma once

#include <optional>
#include <string>

#include "cli/console.h"
#include "run/run_inputs.h"
#include "run/run_session.h"
#include "workflow/check.h"

// A workflow's file that was edited since a run was started from it.
namespace cosmos {

// What the run is to be planned from when the text of `file` takes the place of its own, with the configuration as it
// stands now; nothing without a file. Throws Error{kInvalidInput} when a file cannot be read.
std::optional<CheckInput> ReadEdited(const RunInputs& inputs, const std::string& file);

// Tells which stages `retry --file` repeats because they were changed.
void PrintChanges(const RunOrder& order, Console* console);
// Warns when the run's file is no longer what it was started from, and says how it differs. `may_take`: whether the
// command can take the new text.
void WarnOfChanges(const RunInputs& inputs, bool may_take, const std::string& run_id, Console* console);

}  // namespace cosmos
