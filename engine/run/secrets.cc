#include "run/secrets.h"

#include <fcntl.h>

#include <cstdlib>

#include "core/error.h"
#include "core/files.h"

namespace cosmos {
namespace {

constexpr std::size_t kShortest = 4;
constexpr std::size_t kMaxSecret = 1 << 20;

std::string ReadSecret(const SecretSource& source) {
  if (!source.env.empty()) {
    const char* value = std::getenv(source.env.c_str());
    if (value != nullptr && *value != '\0') return value;
    throw Error(
        ErrorCode::kInvalidInput,
        "the secret '" + source.name + "' is read from the environment variable " + source.env + ", which is not set",
        "export " + source.env + " and run again");
  }
  DemandRegular(source.file, O_RDONLY, 0, Links::kFollow);  // whatever else it is may have no end, or not begin
  std::string value = ReadFileUpTo(source.file, kMaxSecret);
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
  return value;
}

}  // namespace

Secrets ReadSecrets(const std::vector<SecretSource>& sources) {
  Secrets secrets;
  for (const SecretSource& source : sources) {
    const std::string value = ReadSecret(source);
    if (value.size() < kShortest) {
      throw Error(ErrorCode::kInvalidInput,
                  "the secret '" + source.name + "' has fewer than 4 characters, too few to be masked in texts",
                  "use a longer one");
    }
    secrets[source.name] = value;
  }
  return secrets;
}

Masker MaskerOf(const Secrets& secrets) {
  std::vector<std::string> values;
  for (const auto& [name, value] : secrets) values.push_back(value);
  return Masker(values);
}

}  // namespace cosmos
