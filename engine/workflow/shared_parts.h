#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "workflow/document_check.h"
#include "workflow/known_scope.h"
#include "workflow/plan.h"

namespace cosmos {

// What a workflow and the user's configuration both may have. Not thread-safe.
class SharedParts {
 public:
  // Tells of references to what is not there, unknown hooks, and their parameters.
  static void CheckReferences(DocumentCheck* check);

  // Takes over the targets and hooks of one file; what was taken before wins. To be called when nothing was found
  // wrong.
  void Take(DocumentCheck* check, const KnownScope& scope);

  const std::map<std::string, nlohmann::json>& targets() const { return targets_; }
  const std::vector<HookUse>& hooks() const { return hooks_; }

 private:
  void TakeTargets(DocumentCheck* check, const KnownScope& scope);
  void TakeHooks(DocumentCheck* check, const KnownScope& scope);

  std::map<std::string, nlohmann::json> targets_;
  std::vector<HookUse> hooks_;
  std::map<std::string, bool> known_hooks_;
};

}  // namespace cosmos
