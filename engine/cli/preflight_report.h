#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/console.h"
#include "plugin/catalogue.h"
#include "run/preflight/preflight.h"
#include "run/run_session.h"

namespace cosmos {

// What was found before a run.
struct PreflightReport {
  PreflightFindings findings;
  std::map<std::string, std::string> unreachable;  // targets that could not be asked, and why
};

// Looks at all that the order's plan needs, connecting to its targets for it. Executes nothing else.
PreflightReport CheckPreflight(const RunOrder& order, const Catalogue& plugins, RunStore* store);

// {"ok", "findings": [{severity, stage, target, parameter, file, message, hint}], "unreachable": [{target, message}]};
// what does not apply is null.
nlohmann::json ToJson(const PreflightReport& report);
void PrintPreflight(const PreflightReport& report, Console* console);

// The same look for RunOrder::before: prints warnings and errors, and throws Error{kInvalidInput} when there are
// errors. Empty when the plan needs nothing. The pointers must outlive it.
std::function<void(const std::map<std::string, Target*>&, const CancelToken&)> PreflightOf(const RunOrder& order,
                                                                                           const Catalogue& plugins,
                                                                                           RunStore* store,
                                                                                           Console* console);

}  // namespace cosmos
