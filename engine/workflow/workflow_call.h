#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "workflow/expression_tree.h"
#include "workflow/plan.h"

// One workflow as a stage of another: its values go in as params, its instances become the plan's. Pure functions.
//
// The stages of both may have the same names. What an instance of the inner workflow refers to in an outer one is
// called DEPTH/NAME, with the depth of the workflow that the stage is declared in (0: the one that is run), which no
// stage's own name can be.
namespace cosmos {

// What a stage gives to the workflow that it uses.
struct CalledParams {
  nlohmann::json known = nlohmann::json::object();
  // By root and name, as KnownValues::deferred: what only the run can evaluate.
  std::map<std::vector<std::string>, Expression> deferred;
  std::vector<std::string> mixed;  // the names of lists and objects that are partly known only during the run
};

// `with`: the templates of a stage in a workflow of this depth.
CalledParams ParamsOfCall(const nlohmann::json& with, int depth);

// Adds the instances of `called` to the plan and makes `end`, the stage's own instance in a workflow of this depth,
// what comes after them: it has their outputs. Batches of `called` are numbered from `*next_batch` on. `end` is not
// added.
void TakeCalled(Plan called, int depth, StageInstance* end, Plan* plan, int* next_batch);

}  // namespace cosmos
