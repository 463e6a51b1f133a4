#include "core/spelling.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace cosmos {
namespace {

constexpr std::size_t kMostBackslashes = 8;  // JSON within JSON within JSON
constexpr std::size_t kMostPercents = 3;     // %252522
constexpr std::size_t kMostEntity = 9;       // &#x1F600;
constexpr std::size_t kMostUtf8 = 4;

int HexOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsWordCharacter(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The value of a character of base64, or -1.
int SextetOf(unsigned char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

std::string Utf8Of(std::uint32_t code) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xC0 | (code >> 6)), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xE0 | (code >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | ((code >> 18) & 7)), tail(12), tail(6), tail(0)};
}

// What a letter behind a backslash stands for.
std::optional<char> ShortEscape(char letter) {
  constexpr std::string_view kLetters = "abefnrtv0";
  constexpr std::string_view kMeanings("\a\b\033\f\n\r\t\v\0", 9);
  const std::size_t at = kLetters.find(letter);
  return at == kLetters.npos ? std::nullopt : std::optional(kMeanings[at]);
}

std::optional<std::uint32_t> EntityOf(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kNames = {
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  for (const auto& [known, c] : kNames) {
    if (name == known) return c;
  }
  if (name.size() < 2 || name[0] != '#') return std::nullopt;
  const bool hex = name[1] == 'x' || name[1] == 'X';
  std::uint32_t code = 0;
  for (const char c : name.substr(hex ? 2 : 1)) {
    const int digit = HexOf(c);
    if (digit < 0 || (!hex && digit > 9)) return std::nullopt;
    code = code * (hex ? 16 : 10) + static_cast<std::uint32_t>(digit);
  }
  return code;
}

}  // namespace

// One look at one place. `open` says what is not read to its end because the text ends.
class Spelling::Search {
 public:
  Search(const Spelling& spelling, std::string_view text) : spelling_(spelling), text_(text) {}

  Match From(std::size_t begin) {
    Reach(0, begin);
    for (index_ = 0; index_ < spelling_.size(); ++index_) {
      std::vector<std::size_t>& places = Places(index_);
      for (std::size_t i = 0; i < places.size(); ++i) {
        Read(places[i]);
        if (const std::size_t line = BreakAt(places[i]); line > 0) Read(places[i] + line);
      }
      places.clear();
      if (std::all_of(places_.begin(), places_.end(), [](const auto& list) { return list.empty(); })) return match_;
    }
    for (const std::size_t end : Places(index_)) {
      match_.end = match_.end == text_.npos ? end : std::max(match_.end, end);
    }
    return match_;
  }

 private:
  std::vector<std::size_t>& Places(std::size_t index) { return places_[index % places_.size()]; }

  void Reach(std::size_t index, std::size_t place) {
    std::vector<std::size_t>& places = Places(index);
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  }

  char CharacterAt(std::size_t place) const { return place < text_.size() ? text_[place] : '\0'; }

  void Byte(unsigned char byte, std::size_t next) {
    if (spelling_.Accepts(index_, byte)) Reach(index_ + 1, next);
  }

  void Code(std::uint32_t code, std::size_t next) {
    const std::string bytes = Utf8Of(code);
    if (index_ + bytes.size() > spelling_.size()) return;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (!spelling_.Accepts(index_ + i, static_cast<unsigned char>(bytes[i]))) return;
    }
    Reach(index_ + bytes.size(), next);
  }

  // The characters `word` stand for `c`.
  void Word(std::string_view word, char c, std::size_t place) {
    if (!spelling_.Accepts(index_, static_cast<unsigned char>(c))) return;
    const std::string_view rest = text_.substr(place, word.size());
    if (rest == word) {
      Reach(index_ + 1, place + word.size());
    } else if (rest == word.substr(0, rest.size())) {
      match_.open = true;
    }
  }

  std::optional<std::uint32_t> Hex(std::size_t place, std::size_t digits) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (place + i >= text_.size()) {
        match_.open = true;
        return std::nullopt;
      }
      const int digit = HexOf(text_[place + i]);
      if (digit < 0) return std::nullopt;
      value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    return value;
  }

  // Lines of base64 may be broken, in JSON too.
  std::size_t BreakAt(std::size_t place) {
    if (spelling_.sextets_.empty() || index_ == 0) return 0;
    for (const std::string_view line : {"\n", "\r\n", "\\n", "\\r\\n"}) {
      const std::string_view rest = text_.substr(std::min(place, text_.size()), line.size());
      if (rest == line) return line.size();
      if (!rest.empty() && rest == line.substr(0, rest.size())) match_.open = true;
    }
    return 0;
  }

  void Read(std::size_t place) {
    if (place >= text_.size()) {
      match_.open = true;
      return;
    }
    const char c = text_[place];
    Byte(static_cast<unsigned char>(c), place + 1);
    switch (c) {
      case '\\':
        return Backslashes(place);
      case '%':
        return Percent(place + 1);
      case '&':
        return Entity(place + 1);
      case '+':
        return Byte(' ', place + 1);
      case '"':
        return Word("\"\"", c, place);
      case '\'':
        for (const std::string_view word : {"'\\''", "'\"'\"'", "''"}) Word(word, c, place);
        return;
    }
  }

  void Backslashes(std::size_t begin) {
    std::size_t place = begin;
    while (CharacterAt(place) == '\\' && place < begin + kMostBackslashes) Byte('\\', ++place);
    if (place == text_.size()) match_.open = true;
    if (place == text_.size() || text_[place] == '\\') return;
    const char c = text_[place];
    if (!IsWordCharacter(c)) Byte(static_cast<unsigned char>(c), place + 1);
    if (const auto meaning = ShortEscape(c)) Byte(static_cast<unsigned char>(*meaning), place + 1);
    if (c == 'u') Utf16(place + 1);
    if (c == 'U') {
      if (const auto code = Hex(place + 1, 8)) Code(*code, place + 9);
    }
    if (c == 'x') {
      if (const auto code = Hex(place + 1, 2)) {
        Byte(static_cast<unsigned char>(*code), place + 3);
        if (*code >= 0x80) Code(*code, place + 3);
      }
    }
    if (c >= '0' && c <= '3') Octal(place);
  }

  void Utf16(std::size_t place) {
    const auto code = Hex(place, 4);
    if (!code) return;
    if (*code < 0xD800 || *code > 0xDBFF) return Code(*code, place + 4);
    std::size_t second = place + 4;
    while (CharacterAt(second) == '\\' && second < place + 4 + kMostBackslashes) ++second;
    if (second >= text_.size()) match_.open = true;
    if (CharacterAt(second) != 'u') return;
    if (const auto low = Hex(second + 1, 4)) Code(0x10000 + ((*code & 0x3FF) << 10) + (*low & 0x3FF), second + 5);
  }

  void Octal(std::size_t place) {
    unsigned value = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      if (place + i >= text_.size()) {
        match_.open = true;
        return;
      }
      const char c = text_[place + i];
      if (c < '0' || c > '7') return;
      value = value * 8 + static_cast<unsigned>(c - '0');
    }
    Byte(static_cast<unsigned char>(value), place + 3);
  }

  void Percent(std::size_t place) {
    for (std::size_t i = 0; i <= kMostPercents; ++i, place += 2) {
      const auto code = Hex(place, 2);
      if (code) Byte(static_cast<unsigned char>(*code), place + 2);
      if (!code || *code != '%') return;
    }
  }

  void Entity(std::size_t place) {
    const std::string_view rest = text_.substr(place, kMostEntity);
    const std::size_t end = rest.find(';');
    if (end == rest.npos) {
      if (rest.size() < kMostEntity) match_.open = true;
    } else if (const auto code = EntityOf(rest.substr(0, end))) {
      Code(*code, place + end + 1);
    }
  }

  const Spelling& spelling_;
  const std::string_view text_;
  std::size_t index_ = 0;                                       // of what is read
  std::array<std::vector<std::size_t>, kMostUtf8 + 1> places_;  // in the text, from where an element is read
  Match match_;
};

Spelling Spelling::OfText(std::string_view text) {
  Spelling spelling;
  spelling.bytes_ = text;
  return spelling;
}

std::vector<Spelling> Spelling::OfBase64(std::string_view bytes) {
  std::vector<Spelling> all;
  for (std::size_t before = 0; before < 3; ++before) {
    const std::size_t begin = before * 8, end = begin + bytes.size() * 8;  // bits
    Spelling spelling;
    for (std::size_t at = begin / 6 * 6; at < end; at += 6) {
      unsigned known = 0, value = 0;
      for (std::size_t bit = at; bit < at + 6; ++bit) {
        const bool inside = bit >= begin && bit < end;
        const unsigned byte = inside ? static_cast<unsigned char>(bytes[(bit - begin) / 8]) : 0;
        known = known * 2 + (inside ? 1 : 0);
        value = value * 2 + ((byte >> (7 - bit % 8)) & 1);
      }
      std::uint64_t sextets = 0;
      for (unsigned other = 0; other < 64; ++other) {
        if ((other & known) == value) sextets |= std::uint64_t{1} << other;
      }
      spelling.sextets_.push_back(sextets);
    }
    all.push_back(std::move(spelling));
  }
  return all;
}

bool Spelling::Accepts(std::size_t index, unsigned char byte) const {
  if (index >= size()) return false;
  if (sextets_.empty()) return static_cast<unsigned char>(bytes_[index]) == byte;
  const int sextet = SextetOf(byte);
  return sextet >= 0 && (sextets_[index] >> sextet & 1) != 0;
}

Spelling::Match Spelling::At(std::string_view text, std::size_t begin) const { return Search(*this, text).From(begin); }

Spelling::Bytes Spelling::BytesOf(std::size_t index) const {
  Bytes bytes;
  for (std::size_t byte = 0; byte < bytes.size(); ++byte)
    bytes[byte] = Accepts(index, static_cast<unsigned char>(byte));
  if (bytes[' ']) bytes.set('+');
  for (const char c : {'\\', '%', '&'}) bytes.set(static_cast<unsigned char>(c));
  if (!sextets_.empty() && index > 0) bytes.set('\n').set('\r');
  return bytes;
}

Spelling::Bytes Spelling::SecondBytes(unsigned char first) const {
  Bytes bytes;
  if (!FirstBytes()[first]) return bytes;
  // Behind what begins an escape, and where the whole is one byte, anything.
  if (size() < 2 || first == '&' || first == '\'' || first == '"') return bytes.set();
  if (first != '\\' && first != '%') return BytesOf(1);
  if (Accepts(0, first)) bytes = BytesOf(1);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = static_cast<char>(i);
    const auto meaning = ShortEscape(c);
    const bool escapes = !IsWordCharacter(c) && Accepts(0, static_cast<unsigned char>(i));
    if (first == '%' ? HexOf(c) >= 0 : escapes || std::string_view("\\uUx0123").find(c) != std::string_view::npos)
      bytes.set(i);
    if (first == '\\' && meaning && Accepts(0, static_cast<unsigned char>(*meaning))) bytes.set(i);
  }
  return bytes;
}

}  // namespace cosmos
