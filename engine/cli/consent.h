#pragma once

#include <cstddef>
#include <vector>

#include "cli/arguments.h"
#include "cli/console.h"

namespace cosmos {

// Whether a command may remove what it has found.
enum class Consent {
  kGiven,
  kAsk,
  kDryRun,  // nothing is to be removed
};

// --dry-run and --yes.
std::vector<OptionSpec> ConsentOptions();
// Throws Error{kInvalidInput} when somebody would have to be asked and nobody can be.
Consent ConsentOf(const Arguments& arguments, const Console& console);
// Asks about the `count` things that were printed, if that is needed. Never for none.
bool MayRemove(Consent consent, std::size_t count, Console* console);

}  // namespace cosmos
