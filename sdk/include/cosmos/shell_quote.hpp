// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_SHELL_QUOTE_HPP_
#define COSMOS_SHELL_QUOTE_HPP_

#include <cosmos/failure.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace cosmos::sdk {

// `text` as one word of a POSIX shell, in which nothing is expanded: the only place where a plugin quotes for a shell.
// Throws StageFailure invalid_input for a NUL character, which no shell word can hold.
inline std::string ShellQuote(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    throw StageFailure("invalid_input", "found a NUL character in a parameter, expected text; remove it");
  }
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted += '\'';
}

// An argument vector as one shell command.
inline std::string ShellJoin(const std::vector<std::string>& argv) {
  std::string command;
  for (const std::string& argument : argv) {
    if (!command.empty()) command += ' ';
    command += ShellQuote(argument);
  }
  return command;
}

}  // namespace cosmos::sdk

#endif  // COSMOS_SHELL_QUOTE_HPP_
