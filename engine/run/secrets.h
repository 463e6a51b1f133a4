#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/masker.h"
#include "workflow/plan.h"

namespace cosmos {

// Values of secrets by their names. Never written anywhere.
using Secrets = std::map<std::string, std::string>;

// Reads the secrets of a workflow from the environment and from files (without the newline at their end). Throws
// Error{kInvalidInput} that names the secret and its source when one is not there, or too short to be masked safely.
Secrets ReadSecrets(const std::vector<SecretSource>& sources);

Masker MaskerOf(const Secrets& secrets);

}  // namespace cosmos
