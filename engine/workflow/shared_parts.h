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
  // The same of the targets alone.
  static void CheckTargetReferences(DocumentCheck* check);

  // Takes over the targets and hooks of one file; what was taken before wins. To be called when nothing was found
  // wrong.
  void Take(DocumentCheck* check, const KnownScope& scope);
  void TakeTargets(DocumentCheck* check, const KnownScope& scope);

  const std::map<std::string, nlohmann::json>& targets() const { return targets_; }
  // file:line:column of a target that was taken.
  const std::string& PlaceOf(const std::string& target) const { return places_.at(target); }
  const std::vector<HookUse>& hooks() const { return hooks_; }

 private:
  void TakeHooks(DocumentCheck* check, const KnownScope& scope);

  std::map<std::string, nlohmann::json> targets_;
  std::map<std::string, std::string> places_;
  std::vector<HookUse> hooks_;
  std::map<std::string, bool> known_hooks_;
};

}  // namespace cosmos
