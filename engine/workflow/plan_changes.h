#pragma once

#include <set>
#include <string>
#include <vector>

#include "workflow/plan.h"

// What is no longer the same when a workflow has been edited. Pure functions.
namespace cosmos {

// The instances of `now`, by key, whose work differs from that of the instance with the same key in `before`, or that
// `before` has not. How often and how long an instance may try is none of its work.
std::set<std::string> ChangedInstances(const Plan& before, const Plan& now);

// The differences between two texts of a workflow as their values go, not their comments and layout: `stages.render.
// with.seed is 2, was 1`, `stages.render is new`, `params.look is gone`.
std::vector<std::string> ChangesOfText(const std::string& before, const std::string& now);

// The params with which a run of the workflow `before` is planned again by the text `now`: those of the run (`params`)
// that `now` still has and that are not merely the defaults of `before`, so that a default that was edited counts.
nlohmann::json ParamsForText(const nlohmann::json& params, const std::string& before, const std::string& now);

}  // namespace cosmos
