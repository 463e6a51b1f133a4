#include "workflow/known_scope.h"

#include "core/text.h"

namespace cosmos {

using nlohmann::json;

std::optional<json> KnownScope::Find(const std::vector<std::string>& path) const {
  if (path[0] == "env") {
    const std::optional<std::string> value = environment_(path[1]);
    // The environment may hold anything, JSON only UTF-8.
    return value ? std::optional<json>(TruncateUtf8(*value, value->size())) : std::nullopt;
  }
  if (path[0] != "params" && path[0] != "matrix") return std::nullopt;
  const json& values = path[0] == "params" ? params_ : matrix_;
  const auto found = values.find(path[1]);
  if (found == values.end()) return std::nullopt;
  Charge(*found);
  return *found;
}

void KnownScope::Charge(const json& value) const {
  if (budget_ != nullptr) budget_->Take(value);
}

}  // namespace cosmos
