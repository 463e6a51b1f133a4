#include "workflow/schema_path.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cosmos {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 5> kNouns = {
    {{"stages", "stage"}, {"targets", "target"}, {"params", "param"}, {"hooks", "hook"}, {"secrets", "secret"}}};

// `a.b[0].c` of the steps from `first` on.
std::string Dotted(const SchemaPath& path, size_t first) {
  std::string text;
  for (size_t i = first; i < path.size(); ++i) {
    const bool is_index = i > 0 && !path[i].empty() && path[i].find_first_not_of("0123456789") == std::string::npos;
    if (is_index) {
      text += "[" + path[i] + "]";
    } else {
      text += (text.empty() ? "" : ".") + path[i];
    }
  }
  return text;
}

}  // namespace

std::string NameOf(const SchemaPath& path, const std::string& root) {
  if (path.empty()) return root;
  const auto noun =
      std::find_if(kNouns.begin(), kNouns.end(), [&](const auto& known) { return path[0] == known.first; });
  if (noun != kNouns.end() && path.size() > 1) {
    const std::string thing = std::string(noun->second) + " '" + path[1] + "'";
    return path.size() == 2 ? thing : "'" + Dotted(path, 2) + "' of " + thing;
  }
  const bool is_handler = path[0].rfind("on_", 0) == 0 && path.size() > 1;
  if (is_handler) {
    const std::string thing = path[0] + "[" + path[1] + "]";
    return path.size() == 2 ? thing : "'" + Dotted(path, 2) + "' of " + thing;
  }
  return "'" + Dotted(path, 0) + "'";
}

}  // namespace cosmos
