#include "workflow/known_scope.h"

#include "core/text.h"

namespace cosmos {

using nlohmann::json;

std::optional<json> KnownScope::Find(const std::vector<std::string>& path) const {
  if (Deferred(path) != nullptr) return std::nullopt;
  const json none = json::object();
  const std::string& root = path[0];
  const json& values = root == "params"     ? values_.params
                       : root == "matrix"   ? matrix_
                       : root == "workflow" ? values_.workflow
                       : root == "env"      ? values_.env
                                            : none;
  const auto found = values.find(path[1]);
  if (found != values.end()) {
    Charge(*found);
    return *found;
  }
  if (root != "env") return std::nullopt;
  const std::optional<std::string> value = values_.environment(path[1]);
  // The environment may hold anything, JSON only UTF-8.
  return value ? std::optional<json>(TruncateUtf8(*value, value->size())) : std::nullopt;
}

const Expression* KnownScope::Deferred(const std::vector<std::string>& path) const {
  if (values_.deferred.empty()) return nullptr;
  const auto found = values_.deferred.find({path[0], path[1]});
  return found == values_.deferred.end() ? nullptr : &found->second;
}

void KnownScope::Charge(const json& value) const {
  if (budget_ != nullptr) budget_->Take(value);
}

}  // namespace cosmos
