#include "run/mask_json.h"

namespace cosmos {

nlohmann::json MaskJson(const nlohmann::json& value, const Masker& masker) {
  if (masker.empty()) return value;
  if (value.is_string()) return masker.Mask(value.get_ref<const std::string&>());
  if (value.is_number() && masker.Finds(value.dump())) return masker.Mask(value.dump());
  if (!value.is_structured()) return value;
  nlohmann::json masked = value.is_array() ? nlohmann::json::array() : nlohmann::json::object();
  for (const auto& [key, element] : value.items()) {
    if (value.is_array()) {
      masked.push_back(MaskJson(element, masker));
    } else {
      masked[masker.Mask(key)] = MaskJson(element, masker);
    }
  }
  return masked;
}

}  // namespace cosmos
