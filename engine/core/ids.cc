#include "core/ids.h"

#include <sys/random.h>

#include <cerrno>
#include <string>

#include "core/error.h"
#include "core/sha256.h"

namespace cosmos {
namespace {

constexpr size_t kMaxNameLength = 128;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

std::string NewToken() {
  unsigned char bytes[16];
  // 16 bytes are below 256, so getrandom never returns part of them.
  while (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    if (errno != EINTR) throw Error(ErrorCode::kInternal, "the system gives no random numbers");
  }
  std::string hex;
  for (unsigned char byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

std::string NewRunId() { return "rs_" + NewToken(); }
std::string NewOperationId() { return "op_" + NewToken(); }
std::string PromptIdOf(std::string_view record) { return "ps_" + Sha256(record).substr(0, 32); }

bool IsSafeName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameLength || name == "." || name == "..") return false;
  for (char c : name) {
    if (!IsNameCharacter(c)) return false;
  }
  return true;
}

void CheckName(std::string_view what, std::string_view name) {
  if (IsSafeName(name)) return;
  throw Error(ErrorCode::kInvalidInput, std::string(what) + " '" + std::string(name) + "' is not a usable name",
              "use 1 to 128 of the characters A-Z a-z 0-9 . _ -");
}

bool IsReservedFolder(std::string_view name) {
  if (name == "." || name == ".." || name == ".runs" || name == "prompt_enhancement") return true;
  constexpr std::size_t kPrefix = 3, kDigits = 32;
  const std::string_view prefix = name.substr(0, kPrefix);
  return (prefix == "ps_" || prefix == "rs_" || prefix == "op_") && name.size() == kPrefix + kDigits &&
         name.find_first_not_of("0123456789abcdef", kPrefix) == name.npos;
}

void CheckRunId(std::string_view run_id) {
  CheckName("run_id", run_id);
  const bool reserved = run_id == "last" || run_id == "all";
  if (!reserved && run_id[0] != '-' && run_id[0] != '.') return;
  throw Error(ErrorCode::kInvalidInput,
              "run_id '" + std::string(run_id) + "' " +
                  (reserved ? "is a word of the command line" : std::string("begins with '") + run_id[0] + "'"),
              "choose another one, such as shot_010");
}

std::string SafeNameOf(std::string_view text) {
  constexpr size_t kLongest = 48;
  std::string name;
  for (char c : text.substr(0, kLongest)) name += IsNameCharacter(c) ? c : '-';
  if (name == text && IsSafeName(name)) return name;
  return name + "-" + Sha256(text).substr(0, 8);
}

}  // namespace cosmos
