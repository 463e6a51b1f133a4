#include "workflow/environment_rules.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace cosmos {
namespace {

// Who and where the user is, and what is the engine's own.
bool IsHarmless(const std::string& variable) {
  static constexpr std::string_view kNames[] = {"HOME", "USER",   "LOGNAME", "HOSTNAME",
                                                "PWD",  "TMPDIR", "SHELL",   "LANG"};
  return std::find(std::begin(kNames), std::end(kNames), variable) != std::end(kNames) ||
         variable.rfind("XDG_", 0) == 0 || variable.rfind("COSMOS_", 0) == 0;
}

bool EndsWith(std::string_view word, std::string_view end) {
  return word.size() >= end.size() && word.substr(word.size() - end.size()) == end;
}

bool IsSecretWord(std::string_view word) {
  for (const std::string_view part : {"TOKEN", "SECRET", "PASSW", "PASSPHRASE", "CREDENTIAL"}) {
    if (word.find(part) != word.npos) return true;
  }
  return EndsWith(word, "KEY") || EndsWith(word, "KEYS") || word == "PASS" || word == "AUTH" || word == "PAT";
}

}  // namespace

bool SoundsSecret(const std::string& variable) {
  std::string word;
  for (const char c : variable + "_") {
    if (c != '_') {
      word += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      continue;
    }
    if (IsSecretWord(word)) return true;
    word.clear();
  }
  return false;
}

EnvironmentRules::Problem EnvironmentRules::Check(const std::string& variable) const {
  if (!declares_) return {};
  if (SoundsSecret(variable)) {
    return {"the environment variable '" + variable + "' has the name of a secret, which must not stand in a workflow",
            "read it below `secrets:`, as {" + variable + ": {env: " + variable + "}}, and write `${{ secrets." +
                variable + " }}` in `env` of a stage"};
  }
  if (IsHarmless(variable) || std::find(declared_.begin(), declared_.end(), variable) != declared_.end()) return {};
  return {"the workflow reads the environment variable '" + variable + "' and does not declare it",
          "add it to `uses_env: [" + variable + "]` at the top of the workflow, or make it a param"};
}

}  // namespace cosmos
