#include "target/ssh/ssh_tokens.h"

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "target/ssh/account.h"

namespace cosmos {
namespace {

std::string HomeOf(const std::string& user) {
  if (const auto account = FindAccount(user)) return account->home;
  throw Error(ErrorCode::kInvalidInput,
              "found ~" + user + " in a path of your ssh_config: this machine has no such user",
              "write the folder in full");
}

std::string ValueOf(const std::string& variable, const std::string& key) {
  const char* value = std::getenv(variable.c_str());
  if (value != nullptr) return value;
  throw Error(ErrorCode::kInvalidInput, "`" + key + "` of your ssh_config reads ${" + variable + "}, which is not set",
              "set the variable, or write the path in full");
}

std::string ValueOf(const SshTokens& tokens, char letter, const std::string& key) {
  if (letter == '%') return "%";
  const auto token = tokens.find(letter);
  if (token != tokens.end()) return token->second;
  throw Error(ErrorCode::kInvalidInput,
              "found '%" + std::string(letter == '\0' ? 0 : 1, letter) + "' in `" + key +
                  "` of your ssh_config: there is no such token here",
              "write the value in full; `%` itself is written %%");
}

enum class Variables { kKept, kReplaced };

// In one pass, so that what is put in is not read again.
std::string Expand(std::string_view text, const SshTokens& tokens, const std::string& key, Variables variables) {
  std::string expanded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t end =
        variables == Variables::kReplaced && text.substr(i, 2) == "${" ? text.find('}', i) : text.npos;
    if (end != text.npos) {
      expanded += ValueOf(std::string(text.substr(i + 2, end - i - 2)), key);
      i = end;
    } else if (text[i] == '%') {
      expanded += ValueOf(tokens, ++i < text.size() ? text[i] : '\0', key);
    } else {
      expanded += text[i];
    }
  }
  return expanded;
}

}  // namespace

std::string ExpandTokens(std::string_view text, const SshTokens& tokens, const std::string& key) {
  return Expand(text, tokens, key, Variables::kKept);
}

std::string ExpandPath(const std::string& text, const SshTokens& tokens, const std::string& key) {
  const std::size_t end = text.rfind('~', 0) == 0 ? std::min(text.find('/'), text.size()) : 0;
  return ExpandTilde(text.substr(0, end), tokens.at('d')) + Expand(text.substr(end), tokens, key, Variables::kReplaced);
}

std::string ExpandTilde(const std::string& path, const std::string& home) {
  if (path.rfind('~', 0) != 0) return path;
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string user = path.substr(1, end - 1);
  return (user.empty() ? home : HomeOf(user)) + path.substr(end);
}

std::string EscapeTokens(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped.append(c == '%' ? 2 : 1, c);
  return escaped;
}

}  // namespace cosmos
