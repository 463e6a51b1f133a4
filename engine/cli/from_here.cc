#include "cli/from_here.h"

#include <system_error>

namespace cosmos {
namespace fs = std::filesystem;

std::string FromHere(const fs::path& path) {
  std::error_code error;
  const fs::path here = fs::current_path(error);
  const fs::path relative = error ? fs::path() : path.lexically_relative(here);
  return relative.empty() || *relative.begin() == ".." ? path.string() : relative.string();
}

}  // namespace cosmos
