#include "workflow/work_budget.h"

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace cosmos {

using nlohmann::json;

void WorkBudget::Take(const json& value) { TakeBytes(spent_ ? 0 : MemoryOf(value)); }

void WorkBudget::TakeBytes(std::size_t bytes) {
  if (spent_ || bytes > left_) {
    spent_ = true;
    throw Error(ErrorCode::kInvalidInput,
                "with its matrices and expressions expanded, the workflow takes more than 512 MiB",
                "give fewer instances, or smaller values");
  }
  left_ -= bytes;
}

std::size_t MemoryOf(const json& value) {
  constexpr std::size_t kValue = 16;
  constexpr std::size_t kMember = 48;  // a node of an object's tree
  if (value.is_string()) return kValue + value.get_ref<const std::string&>().size();
  std::size_t bytes = kValue;
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) bytes += kMember + name.size() + MemoryOf(member);
  } else if (value.is_array()) {
    for (const json& element : value) bytes += MemoryOf(element);
  }
  return bytes;
}

}  // namespace cosmos
