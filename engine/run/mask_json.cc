#include "run/mask_json.h"

namespace cosmos {

nlohmann::json MaskJson(const nlohmann::json& value, const Masker& masker) {
  if (masker.empty()) return value;
  if (value.is_string()) return masker.Mask(value.get_ref<const std::string&>());
  nlohmann::json masked = value;
  if (value.is_structured()) {
    for (auto& element : masked) element = MaskJson(element, masker);
  }
  return masked;
}

}  // namespace cosmos
