#pragma once

#include <optional>
#include <string>

#include "cli/arguments.h"
#include "cli/console.h"
#include "plugin/catalogue.h"
#include "run/run_inputs.h"
#include "workflow/check.h"

namespace cosmos {

// The options with which a workflow is read: -p, --params, --target.
std::vector<OptionSpec> WorkflowOptions();

// The text of a workflow's file. Throws Error{kInvalidInput} when it cannot be read.
std::string ReadWorkflowFile(const std::string& path);
// Puts the user's configuration, as it stands now, into `input`. Throws Error{kInvalidInput} when it cannot be read.
void ReadConfig(CheckInput* input);
// A workflow's file and the user's configuration as they stand now, with the options given. Throws Error{kInvalidInput}
// when a file cannot be read.
CheckInput ReadWorkflow(const std::string& path, const Arguments& arguments);
// What a run was started from, to be planned again; the files it needed then are not looked for.
CheckInput ReadAgain(const RunInputs& inputs);
// The same, to be kept with a new run.
RunInputs InputsOf(const CheckInput& input, const Plan& plan, const Arguments& arguments);

// Puts what a plan was made from into the inputs of its run.
void Take(const CheckInput& input, const Plan& plan, RunInputs* inputs);

// Prints what was found, on stderr or as {"ok", "findings": […]} on stdout.
void PrintFindings(const Findings& findings, Console* console);
// The findings of one or several workflows in the form of `validate`.
nlohmann::json FindingsToJson(const Findings& findings);

}  // namespace cosmos
