#include "cli/failure_text.h"

namespace cosmos {

std::string ReasonOf(const std::string& message, const std::string& key) {
  const std::string head = "stage '" + key + "' failed: ";
  const std::string reason = message.rfind(head, 0) == 0 ? message.substr(head.size()) : message;
  return reason.substr(0, reason.rfind("; see its log "));
}

}  // namespace cosmos
