#include "run/run_state.h"

#include <cstdlib>
#include <utility>

namespace cosmos {
namespace {

using nlohmann::json;

// What stands at `path` below `value`, from the given element of the path on.
std::optional<json> Below(const json& value, const std::vector<std::string>& path, std::size_t from) {
  const json* at = &value;
  for (std::size_t i = from; i < path.size(); ++i) {
    if (at->is_object() && at->contains(path[i])) {
      at = &(*at)[path[i]];
    } else if (at->is_array() && path[i].find_first_not_of("0123456789") == std::string::npos &&
               std::stoul(path[i]) < at->size()) {
      at = &(*at)[std::stoul(path[i])];
    } else {
      return std::nullopt;
    }
  }
  return *at;
}

}  // namespace

RunState::RunState(const Plan* plan, std::string run_id, std::string output_dir, std::vector<InstanceState> states)
    : plan_(plan), run_id_(std::move(run_id)), output_dir_(std::move(output_dir)), states_(std::move(states)) {}

InstanceState RunState::Get(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return states_.at(index);
}

void RunState::Set(std::size_t index, const InstanceState& state) {
  const std::lock_guard lock(mutex_);
  states_.at(index) = state;
}

void RunState::SetRunEnd(Status status, const std::string& error) {
  const std::lock_guard lock(mutex_);
  run_status_ = ToString(status);
  run_error_ = error;
}

std::vector<InstanceState> RunState::All() const {
  const std::lock_guard lock(mutex_);
  return states_;
}

std::optional<json> RunState::FindStage(const StageInstance& viewer, const std::vector<std::string>& path) const {
  const auto seen = path.size() < 3 ? viewer.sees.end() : viewer.sees.find(path[1]);
  if (seen == viewer.sees.end()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto of = [&](std::size_t index) -> std::optional<json> {
    const InstanceState& state = states_.at(index);
    if (path[2] == "status") return json(ToString(state.status));
    return path[2] == "outputs" ? Below(state.outputs, path, 3) : std::nullopt;
  };
  if (path[2] == "instances") return InstancesOf(seen->second);
  if (seen->second.single) return of(seen->second.instances.at(0));
  json all = json::array();
  for (const std::size_t index : seen->second.instances) {
    const std::optional<json> value = of(index);
    // What did not succeed keeps its place in the list.
    if (!value && states_.at(index).status == Status::kSucceeded) return std::nullopt;
    all.push_back(value.value_or(nullptr));
  }
  return all;
}

json RunState::InstancesOf(const SeenStage& seen) const {
  json instances = json::object();
  for (const std::size_t index : seen.instances) {
    const InstanceState& state = states_.at(index);
    instances[plan_->instances.at(index).instance] = {{"status", ToString(state.status)}, {"outputs", state.outputs}};
  }
  return instances;
}

std::optional<json> RunState::FindRun(const std::string& field) const {
  const std::lock_guard lock(mutex_);
  if (field == "id") return run_id_;
  if (field == "workflow") return plan_->name;
  if (field == "params") return plan_->params;
  if (field == "output_dir") return output_dir_;
  if (field == "status") return run_status_;
  if (field == "error") return run_error_;
  return std::nullopt;
}

std::optional<json> StageScope::Find(const std::vector<std::string>& path) const {
  if (path.size() < 2) return std::nullopt;
  const std::string& root = path[0];
  if (root == "params") return Below(state_->plan().params, path, 1);
  if (root == "matrix") return Below(instance_->matrix, path, 1);
  if (root == "stages") return state_->FindStage(*instance_, path);
  if (root == "run") return state_->FindRun(path[1]);
  if (root == "secrets") {
    const auto secret = secrets_->find(path[1]);
    return secret == secrets_->end() ? std::nullopt : std::optional<json>(secret->second);
  }
  if (root == "env") {
    const char* value = std::getenv(path[1].c_str());
    return value == nullptr ? std::nullopt : std::optional<json>(value);
  }
  return std::nullopt;
}

RunContext ContextOfRun(const RunState& state) {
  RunContext context;
  context.run_id = state.run_id();
  context.workflow = state.plan().name;
  context.prompt_name = state.plan().prompt_name;
  return context;
}

}  // namespace cosmos
