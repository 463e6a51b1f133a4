#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "workflow/check.h"
#include "workflow/document_check.h"
#include "workflow/known_scope.h"
#include "workflow/plan.h"
#include "workflow/schema_checker.h"
#include "workflow/stage_list.h"

namespace cosmos {

// Makes the plan's instances from the stages of a workflow in which nothing was found wrong so far, and tells of what
// can only be seen in resolved values. Not thread-safe.
class PlanBuilder {
 public:
  // What is around the workflow.
  struct Surroundings {
    int depth = 0;            // how many workflows use each other before this one
    std::string name_prefix;  // of the names of folders that stages have by default
    // The plan of the workflow that a stage uses, called with what `end` has as `with`; nothing, and findings, when
    // something is wrong in it.
    std::function<std::optional<Plan>(const StageSource& stage, const StageInstance& end)> call;
    std::map<std::string, std::string>* log_paths = nullptr;  // with the instance that writes there, of all workflows
  };

  // All must outlive the builder. `plan` has name, prompt_name, params and targets already.
  PlanBuilder(const CheckInput* input, DocumentCheck* check, const StageList* stages, const KnownValues* values,
              WorkBudget* budget, Plan* plan, Surroundings surroundings);

  void Build();

 private:
  void AddInstances(size_t position);
  // Adds the instances of the workflow that the stage uses, once for each of its own.
  void AddWorkflows(size_t position);
  void SetOutputs();
  // After all instances of the stage, the plan's last ones, from `first` on.
  void FormBatchesOf(const StageSource& stage, size_t first);
  // False when the budget is spent, which is a finding.
  bool IsAffordable(const StageSource& stage, const StageInstance& made);
  StageInstance Make(const StageSource& stage, const MatrixInstance& instance);
  // The stage's fields that are settled before the run, with their values.
  nlohmann::json Settled(const StageSource& stage, const KnownScope& scope);
  void Settle(const StageSource& stage, const nlohmann::json& fields, StageInstance* instance);
  // After SetTarget.
  void SetContainer(const StageSource& stage, const nlohmann::json& fields, StageInstance* instance);
  void SetPromptName(const StageSource& stage, const nlohmann::json& fields, StageInstance* instance);
  void SetTarget(const StageSource& stage, const nlohmann::json& fields, StageInstance* instance);
  void SetParameters(const StageSource& stage, const KnownScope& scope, StageInstance* instance);
  // After SetParameters, which may choose a model.
  void CheckOomSteps(const StageSource& stage, const StageInstance& instance);
  nlohmann::json Environment(const StageSource& stage, const KnownScope& scope);
  std::string Condition(const StageSource& stage, const KnownScope& scope);
  void SetNeeds(size_t position, StageInstance* instance);
  void SetSeen(const StageSource& stage, StageInstance* instance);
  // The instances of the stages `ids` that `viewer` sees, whose matrix values are `matrix`.
  std::map<std::string, SeenStage> Seen(const std::set<std::string>& ids, const StageSource& viewer,
                                        const nlohmann::json& matrix);
  std::vector<size_t> Matching(const StageSource& viewer, const nlohmann::json& matrix, size_t other);
  void CheckLogPath(const StageSource& stage, const StageInstance& instance);

  const CheckInput& input_;
  DocumentCheck& check_;
  const StageList& list_;
  const KnownValues& values_;
  WorkBudget& budget_;
  Plan& plan_;
  const Surroundings surroundings_;
  std::optional<SchemaChecker> stage_checker_;  // made when a stage has resolved fields to be checked again
  std::vector<size_t> first_;                   // by the stage's position: its first instance in the plan
  std::vector<MatrixIndex> indices_;            // by the stage's position
  std::vector<size_t> most_in_batch_;           // by the instance's position in the plan
  int next_batch_ = 0;
  std::map<std::string, std::string> first_in_;  // folder that is named after the workflow -> its first stage
};

}  // namespace cosmos
