#include "core/error.h"

#include <system_error>
#include <utility>

namespace cosmos {
namespace {

std::string Joined(const std::string& where, const std::string& message, const std::string& hint) {
  std::string text = where.empty() ? message : where + ": " + message;
  if (!hint.empty()) text += "; " + hint;
  return text;
}

}  // namespace

Error::Error(ErrorCode code, const std::string& message, std::string hint, std::string where)
    : std::runtime_error(Joined(where, message, hint)),
      code_(code),
      message_(message),
      hint_(std::move(hint)),
      where_(std::move(where)) {}

Error IoError(const std::string& operation, const std::string& path, int error_number) {
  return Error(ErrorCode::kIo,
               "cannot " + operation + " '" + path + "': " + std::generic_category().message(error_number));
}

}  // namespace cosmos
