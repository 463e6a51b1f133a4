#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cosmos {

struct Expression;

// What the references of an expression mean. `Find` is called from the thread that evaluates.
class Scope {
 public:
  virtual ~Scope() = default;
  // The value of a reference, such as {"params", "seed"}, {"matrix", "seed"}, {"env", "HOME"}, {"secrets", "TOKEN"},
  // {"run", "id"}, {"stages", "render", "status"}, {"stages", "render", "outputs"} or {"stages", "render", "outputs",
  // "video"}, {"workflow", "dir"}: what follows is looked up in the value by the evaluator. Nothing when there is no
  // such thing (yet).
  virtual std::optional<nlohmann::json> Find(const std::vector<std::string>& path) const = 0;
  // The expression that a reference stands for whose value only the run brings; nullptr for others. Valid as long as
  // the scope.
  virtual const Expression* Deferred(const std::vector<std::string>&) const { return nullptr; }
  // Called with each value that an expression makes of others. Throws Error where there is a limit to it.
  virtual void Charge(const nlohmann::json&) const {}
};

}  // namespace cosmos
