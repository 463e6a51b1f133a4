#include "diagnostics/redaction.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace cosmos::plugins {
namespace {

constexpr std::string_view kMask = "***";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool IsNameChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.'; }

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

// The words of a name: HF_TOKEN, hf-token and hfToken have two.
std::vector<std::string> WordsOf(std::string_view name) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool hump = i > 0 && std::isupper(static_cast<unsigned char>(c)) != 0 &&
                      std::islower(static_cast<unsigned char>(name[i - 1])) != 0;
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 || hump) words.emplace_back();
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) words.back() += c;
  }
  return words;
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() > end.size() && text.substr(text.size() - end.size()) == end;
}

// Where the value that begins at `at` ends: behind its closing quote, which a backslash or (for a shell) '\'' does not
// close, at the end of what it stands quoted in, or at the next space (of `name: value`, at the line's end).
std::size_t EndOfValue(std::string_view text, std::size_t at, bool quoted_outside, bool to_line_end) {
  const char quote = at < text.size() ? text[at] : '\0';
  if (quote == '"' || quote == '\'') {
    for (std::size_t i = at + 1; i < text.size(); ++i) {
      if (text[i] == '\\' && quote == '"') {
        ++i;
      } else if (text[i] == quote) {
        if (text.substr(i, 4) != "'\\''") return i + 1;
        i += 3;
      }
    }
    return text.size();
  }
  for (std::size_t i = at; i < text.size(); ++i) {
    if (text[i] == '\n' || text[i] == '\r') return i;
    if (quoted_outside) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '"') {
        return i;
      }
    } else if (!to_line_end && (text[i] == ' ' || text[i] == '\t' || text[i] == '"' || text[i] == '&')) {
      return i;
    }
  }
  return text.size();
}

std::string WithoutNamedValues(std::string_view text) {
  std::string result;
  std::size_t i = 0;
  while (i < text.size()) {
    if (!IsNameChar(text[i])) {
      result += text[i++];
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && IsNameChar(text[end])) ++end;
    const std::string_view name = text.substr(i, end - i);
    const bool quoted_before = i > 0 && text[i - 1] == '"';
    std::size_t at = end;
    const bool quoted_name = quoted_before && at < text.size() && text[at] == '"';
    if (quoted_name) ++at;
    while (at < text.size() && text[at] == ' ') ++at;
    const bool assigns = at < text.size() && (text[at] == '=' || text[at] == ':') && NamesASecret(name);
    if (!assigns) {
      result.append(text.substr(i, end - i));
      i = end;
      continue;
    }
    const bool colon = text[at] == ':';
    ++at;
    while (at < text.size() && text[at] == ' ') ++at;
    result.append(text.substr(i, at - i));
    i = at;
    // A list or an object is looked at itself.
    if (at == text.size() || text[at] == '[' || text[at] == '{') continue;
    const char quote = text[at];
    const bool quoted = quote == '"' || quote == '\'';
    if (quoted_name && !quoted) {
      i = std::min(text.find_first_of(",}]\n ", at), text.size());
      result.append("\"").append(kMask).append("\"");
      continue;
    }
    i = EndOfValue(text, at, quoted_before && !quoted_name, colon);
    if (i == at) continue;  // it is empty
    if (quoted) result += quote;
    result += kMask;
    if (quoted) result += quote;
  }
  return result;
}

// Replaces what stands between `begin` and the first of `ends` behind it, for each `begin`.
std::string WithoutBetween(std::string_view text, std::string_view begin, std::string_view ends, std::size_t least) {
  std::string result;
  for (;;) {
    const std::size_t at = text.find(begin);
    if (at == text.npos) return result.append(text);
    const std::size_t from = at + begin.size();
    const std::size_t to = std::min(text.find_first_of(ends, from), text.size());
    result.append(text.substr(0, from));
    if (to - from >= least) {
      result += kMask;
    } else {
      result.append(text.substr(from, to - from));
    }
    text.remove_prefix(to);
  }
}

std::string WithoutPrivateKeys(std::string_view text) {
  std::string result;
  for (;;) {
    const std::size_t mark = text.find("PRIVATE KEY-----");
    const std::size_t begin = mark == text.npos ? mark : text.rfind("-----BEGIN", mark);
    if (begin == text.npos) return result.append(text);
    const std::size_t end_mark = text.find("-----END", mark);
    const std::size_t end = end_mark == text.npos ? text.npos : text.find("-----", end_mark + 8);
    result.append(text.substr(0, begin)).append("[a private key]");
    if (end == text.npos) return result;
    text.remove_prefix(end + 5);
  }
}

// `scheme://user:password@host`
std::string WithoutUrlPasswords(std::string_view text) {
  std::string result;
  for (;;) {
    const std::size_t at = text.find("://");
    if (at == text.npos) return result.append(text);
    const std::size_t from = at + 3;
    const std::size_t to = std::min(text.find_first_of(" \t\n\"'/<>", from), text.size());
    const std::string_view authority = text.substr(from, to - from);
    const std::size_t host = authority.rfind('@');
    const std::size_t colon = authority.find(':');
    result.append(text.substr(0, from));
    if (host != authority.npos && colon < host) {
      result.append(authority.substr(0, colon + 1)).append(kMask).append(authority.substr(host));
    } else {
      result.append(authority);
    }
    text.remove_prefix(to);
  }
}

// How long the UTF-8 character at the beginning of `text` is; 0 when there is none.
std::size_t LengthOfCharacter(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xC2 && first < 0xE0 ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)) return 0;
  if ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F)) return 0;
  return length;
}

// Of a terminal's colours and cursor; 0 when there is none at the beginning of `text`.
std::size_t LengthOfEscape(std::string_view text) {
  if (text.size() < 2 || text[0] != '\x1b' || text[1] != '[') return 0;
  std::size_t end = 2;
  while (end < text.size() && text[end] >= 0x20 && text[end] < 0x40) ++end;
  return end < text.size() ? end + 1 : 0;
}

}  // namespace

bool NamesASecret(std::string_view name) {
  const std::string upper = Upper(name);
  for (const std::string_view word : {"SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "APIKEY"}) {
    if (upper.find(word) != upper.npos) return true;
  }
  if (EndsWith(upper, "TOKEN")) return true;
  // DBPASS, MYSQL_PWD; not the current folder, nor words that happen to end so.
  const bool folder = upper == "PWD" || upper == "OLDPWD";
  const bool a_word =
      EndsWith(upper, "BYPASS") || upper == "BYPASS" || EndsWith(upper, "COMPASS") || upper == "COMPASS";
  if ((EndsWith(upper, "PASS") && !a_word) || (EndsWith(upper, "PWD") && !folder)) return true;
  const std::vector<std::string> words = WordsOf(name);
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    const std::string upper_word = Upper(word);
    return upper_word == "PASS" || upper_word == "PW" || upper_word == "COOKIE" || upper_word == "KEY" ||
           upper_word == "KEYS" || upper_word == "TOKEN" || (upper_word == word && EndsWith(word, "KEY"));
  });
}

std::string WithoutSecrets(std::string_view text) {
  std::string result = WithoutUrlPasswords(WithoutNamedValues(WithoutPrivateKeys(text)));
  for (const std::string_view begin : {"Bearer ", "bearer ", "Basic "}) {
    result = WithoutBetween(result, begin, " \t\n\r\"',;", 16);
  }
  for (const std::string_view begin : {"hf_", "nvapi-", "ghp_", "github_pat_", "glpat-", "sk-", "xoxb-", "AKIA"}) {
    result = WithoutBetween(result, begin, " \t\n\r\"',;:/&=()[]{}<>.", 16);
  }
  return result;
}

std::string AsText(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    std::size_t length = LengthOfEscape(text);
    if (length == 0) {
      length = LengthOfCharacter(text);
      const unsigned char c = static_cast<unsigned char>(text[0]);
      const bool control = length <= 1 && (c < 0x20 || c == 0x7F) && c != '\n' && c != '\t' && c != '\r';
      if (c == '\r') {
        // A progress bar ends its lines so, and so do files of another system.
        if (text.size() == 1 || text[1] != '\n') result += '\n';
        length = 1;
      } else if (length == 0 || control) {
        result += kReplacement;
        length = 1;
      } else {
        result.append(text.substr(0, length));
      }
    }
    text.remove_prefix(length);
  }
  return result;
}

bool IsGarbage(std::string_view text) {
  std::size_t replaced = 0;
  for (std::size_t at = text.find(kReplacement); at != text.npos; at = text.find(kReplacement, at + 3)) ++replaced;
  return replaced > 0 && replaced * 20 >= text.size();
}

std::string Bounded(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  const std::size_t half = most / 2;
  std::size_t head = text.rfind('\n', half);
  head = head == text.npos ? 0 : head + 1;
  std::size_t tail = text.find('\n', text.size() - half);
  tail = tail == text.npos ? text.size() : tail + 1;
  return text.substr(0, head) + "[" + std::to_string(tail - head) + " bytes are left out here]\n" + text.substr(tail);
}

}  // namespace cosmos::plugins
