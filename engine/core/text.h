#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

// One word for a POSIX shell that stands for exactly `text`. The one place where anything is quoted for a shell.
std::string ShellQuote(std::string_view text);
// The words of an argument vector, each quoted, with spaces between.
std::string ShellCommand(const std::vector<std::string>& argv);

// At most `max_characters` Unicode characters of `text`, cut at a character's boundary; every byte that is not part of
// valid UTF-8 becomes U+FFFD, so the result is always valid UTF-8.
std::string TruncateUtf8(std::string_view text, size_t max_characters);

// What a message quotes of a text from outside: its first line that is not empty, at most `max_characters` of it.
std::string Excerpt(std::string_view text, size_t max_characters = 200);

bool IsUtf8(std::string_view text);

// With A to Z as a to z.
std::string SmallLetters(std::string_view text);

// `text` as a terminal can show it without obeying it: control characters become visible signs (an escape becomes ␛),
// characters that change the direction or the place of others become their numbers (<U+202E>), bytes that are not UTF-8
// become U+FFFD. Newlines and tabs stay, the '\r' of "\r\n" is left out.
std::string Harmless(std::string_view text);

// The candidate that `word` was probably meant to be, or "" when none is near.
std::string NearestOf(std::string_view word, const std::vector<std::string>& candidates);
// "did you mean 'x'?" or, when none is near, "expected one of a, b, c" (empty without candidates).
std::string Suggestion(std::string_view word, const std::vector<std::string>& candidates);

// A number of things: "1 problem", "2 problems"; for nouns that take an s.
std::string Counted(std::int64_t number, std::string_view noun);

std::string Join(const std::vector<std::string>& parts, std::string_view separator);
std::vector<std::string> SplitLines(std::string_view text);

}  // namespace cosmos
