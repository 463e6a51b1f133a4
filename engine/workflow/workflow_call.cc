#include "workflow/workflow_call.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "workflow/expression.h"
#include "workflow/known_scope.h"
#include "workflow/text_template.h"

namespace cosmos {
namespace {

using nlohmann::json;

std::string NameFromInside(int depth, const std::string& stage) { return std::to_string(depth) + "/" + stage; }

// The expression as it is written inside the workflow that is called. Names of workflows further out stay.
void SeeFromInside(int depth, Expression* expression) {
  if (expression->kind == Expression::Kind::kReference && expression->path[0] == "stages" &&
      expression->path[1].find('/') == std::string::npos) {
    expression->path[1] = NameFromInside(depth, expression->path[1]);
  }
  for (Expression& operand : expression->operands) SeeFromInside(depth, &operand);
}

void Shift(std::size_t by, StageInstance* instance) {
  for (std::size_t& need : instance->needs) need += by;
  for (auto& [name, seen] : instance->sees) {
    for (std::size_t& index : seen.instances) index += by;
  }
}

std::string Both(const std::string& a, const std::string& b) {
  return a.empty() || b.empty() ? a + b : "(" + a + ") && (" + b + ")";
}

}  // namespace

CalledParams ParamsOfCall(const json& with, int depth) {
  const KnownValues nothing;
  const json no_matrix = json::object();
  const KnownScope scope(&nothing, &no_matrix);
  CalledParams params;
  for (const auto& [name, value] : with.items()) {
    if (!HasExpressions(value)) {
      params.known[name] = Resolve(value, scope);
    } else if (value.is_string()) {
      Expression expression = TextTemplate::Parse(value.get_ref<const std::string&>()).AsExpression();
      SeeFromInside(depth, &expression);
      params.deferred[{"params", name}] = std::move(expression);
    } else {
      params.mixed.push_back(name);
    }
  }
  return params;
}

void TakeCalled(Plan called, int depth, StageInstance* end, Plan* plan, int* next_batch) {
  const std::size_t first = plan->instances.size();
  std::map<std::string, SeenStage> outer;
  for (const auto& [name, seen] : end->sees) {
    outer[name.find('/') == name.npos ? NameFromInside(depth, name) : name] = seen;
  }
  std::string when;
  if (!end->when.empty()) {
    Expression condition = ParseExpression(end->when);
    SeeFromInside(depth, &condition);
    when = ToSource(condition);
  }
  int batches = 0;
  for (StageInstance& part : called.instances) {
    const bool begins = part.needs.empty();
    Shift(first, &part);
    part.stage = end->key() + "." + part.stage;
    part.sees.insert(outer.begin(), outer.end());
    part.when = Both(when, part.when);
    part.when_as_written = Both(end->when_as_written, part.when_as_written);
    part.tolerated = part.tolerated || end->continue_on_error;
    if (begins) {
      part.needs = end->needs;
      part.after_failure = part.after_failure || end->after_failure;
    }
    if (part.batch >= 0) {
      batches = std::max(batches, part.batch + 1);
      part.batch += *next_batch;
    }
    plan->instances.push_back(std::move(part));
  }
  *next_batch += batches;

  StageInstance outputs;  // of which only what Shift looks at counts
  outputs.sees = std::move(called.outputs_see);
  Shift(first, &outputs);
  end->uses = "noop";
  end->with = {{"outputs", std::move(called.outputs)}};
  end->needs.resize(plan->instances.size() - first);
  std::iota(end->needs.begin(), end->needs.end(), first);
  end->sees = std::move(outputs.sees);
  end->sees.insert(outer.begin(), outer.end());
  end->when = when;
  end->after_failure = false;  // what comes before it has seen to that
  end->ends_workflow = true;

  plan->targets.insert(called.targets.begin(), called.targets.end());
}

}  // namespace cosmos
