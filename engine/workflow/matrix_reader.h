#pragma once

#include <optional>
#include <string>
#include <vector>

#include "workflow/document_check.h"
#include "workflow/known_scope.h"
#include "workflow/stage_source.h"

namespace cosmos {

// The keys that a stage's expressions may name as `matrix.KEY`: its axes and what `include` adds.
std::vector<std::string> MatrixKeysOf(const StageSource& stage);
// Whether the key of a matrix is an axis, and none of `include`, `exclude`, `max_parallel` and `name: TEXT`.
bool IsAxis(const std::string& key, const nlohmann::json& value);

// Reads the matrix of one stage and reports what is wrong in it. Does not own its parts; not thread-safe.
class MatrixReader {
 public:
  MatrixReader(DocumentCheck* check, const KnownValues* values, WorkBudget* budget)
      : check_(*check), values_(*values), budget_(*budget) {}

  // The stage's instances; none, and findings, when its matrix is wrong.
  std::vector<MatrixInstance> Instances(const StageSource& stage);
  // How many of them may be at work at once; 0: any number.
  int MaxParallel(const StageSource& stage);

 private:
  std::optional<nlohmann::json> Resolved(const StageSource& stage, const std::string& key, const YamlNode& node);
  void ReadAxis(const StageSource& stage, const std::string& key, const YamlNode& node, Matrix* matrix);
  std::vector<nlohmann::json> ReadEntries(const StageSource& stage, const char* key);
  bool CheckExcluded(const StageSource& stage, const Matrix& matrix);
  void Name(const StageSource& stage, std::vector<MatrixInstance>* instances);

  DocumentCheck& check_;
  const KnownValues& values_;
  WorkBudget& budget_;
};

}  // namespace cosmos
