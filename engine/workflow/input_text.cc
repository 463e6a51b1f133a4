#include "workflow/input_text.h"

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/json_values.h"
#include "core/text.h"

namespace cosmos {

std::string ReadInputText(const std::string& what, const std::filesystem::path& path) {
  std::string text;
  try {
    text = ReadFileUpTo(path, kForeignJson.bytes);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInvalidInput) throw;
    throw Error(ErrorCode::kInvalidInput, "the " + what + " cannot be read: " + error.message(), "check the path");
  }
  if (IsUtf8(text)) return text;
  const std::vector<std::string> lines = SplitLines(text);
  const auto bad = std::find_if_not(lines.begin(), lines.end(), [](const std::string& line) { return IsUtf8(line); });
  throw Error(ErrorCode::kInvalidInput,
              "the " + what + " '" + path.string() + "' is not UTF-8 text (line " +
                  std::to_string(bad - lines.begin() + 1) + ")",
              "save it as UTF-8");
}

}  // namespace cosmos
