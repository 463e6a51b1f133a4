#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "workflow/document_check.h"
#include "workflow/known_scope.h"
#include "workflow/stage_graph.h"
#include "workflow/stage_source.h"

namespace cosmos {

// The stages and handlers of one workflow with how they hang together. Tells of unknown and circular needs, wrong
// matrices, and in each stage of expressions, plugins, parameters and names that are wrong. Not thread-safe.
class StageList {
 public:
  // Gives what a stage sees of the workflow in a file that it uses; nullptr, and a finding, when it cannot be used.
  using FindWorkflow = std::function<const PluginFacts*(const std::string& uses, Place place)>;

  // `check` must outlive the list. `input_files`: whether the files that parameters name must exist.
  StageList(DocumentCheck* check, bool input_files, FindWorkflow find_workflow);

  // Links stages by `needs:` and looks their plugins up.
  void Link();
  // Expands the matrices, within the budget. To be called when the params are known.
  void Expand(const KnownValues& values, WorkBudget* budget);
  // Checks each stage by itself, and its references to others. `scope` knows the params.
  void CheckStages(const KnownScope& scope);

  // The stages that the workflow's `outputs:` name, with the others checked as CheckStages does.
  const std::set<std::string>& outputs_refer_to() const { return outputs_refer_to_; }

  const std::vector<StageSource>& stages() const { return stages_; }
  const std::vector<StageSource>& handlers() const { return handlers_; }
  const StageGraph& graph() const { return graph_; }
  const std::vector<size_t>& order() const { return order_; }
  // REQUIRES: there is such a stage.
  size_t PositionOf(const std::string& id) const { return positions_.at(id); }

 private:
  void ReadHandlers(const std::string& list);
  void NameHandlers();
  void LinkNeeds(size_t position);
  void TellCycles();
  void CheckOne(StageSource* stage, const ReferenceRules& rules, const KnownScope& scope);
  void CheckMatrix(StageSource* stage, ReferenceRules rules);
  void CheckNames(const StageSource& stage);
  void CheckUse(const StageSource& stage);
  void CheckOutputs();
  // Reports a reference from `stage` (null: from the workflow's outputs) to a stage that does not exist, is not needed,
  // or has no such output.
  void CheckStageReference(const StageSource* stage, const std::string& other, const std::string& output,
                           const std::function<void(std::string, std::string)>& add);
  std::vector<std::string> Ids() const;

  DocumentCheck& check_;
  const bool input_files_;
  const FindWorkflow find_workflow_;
  std::vector<StageSource> stages_;
  std::vector<StageSource> handlers_;
  std::map<std::string, size_t> positions_;
  StageGraph graph_{0};
  std::vector<size_t> order_;
  std::set<std::string> outputs_refer_to_;
};

}  // namespace cosmos
