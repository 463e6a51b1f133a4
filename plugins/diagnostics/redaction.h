#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cosmos::plugins {

// Whether a variable of this name probably holds a secret: KEY, TOKEN, SECRET, PASSWORD, CREDENTIAL and their like as
// words of it.
bool NamesASecret(std::string_view name);

// `text` without what looks like a secret by its form: values of names that NamesASecret (`NAME=value`, `name: value`,
// `"name": "value"`), private keys, passwords within URLs, bearer tokens, and tokens that well-known services mark by
// their beginning. What stands in place of each is `***`. Pure.
std::string WithoutSecrets(std::string_view text);

// `text` as valid UTF-8 without control characters but tab and newline; others become U+FFFD, escape sequences of
// terminals go.
std::string AsText(std::string_view text);

// Whether most of it is no text at all, as a broken program may print. `text` as AsText gives it.
bool IsGarbage(std::string_view text);

// The first and the last part of it, whole lines, with a line between that says what was left out.
std::string Bounded(const std::string& text, std::size_t most);

}  // namespace cosmos::plugins
