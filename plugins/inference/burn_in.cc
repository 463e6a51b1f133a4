#include "inference/burn_in.h"

#include <utility>
#include <vector>

namespace cosmos::plugins {
namespace {

struct Character {
  std::string bytes;
  std::size_t columns;
};

constexpr const char* kReplacement = "\xEF\xBF\xBD";
constexpr const char* kEllipsis = "\xE2\x80\xA6";

// How many bytes the character that starts with `lead` has, or 0 when none starts with it.
std::size_t Length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

std::size_t Columns(char32_t code) {
  if (code >= 0x300 && code < 0x370) return 0;                        // combining marks
  if (code == 0x200D || (code >= 0xFE00 && code < 0xFE10)) return 0;  // joiner, variation selectors
  const bool wide = (code >= 0x1100 && code < 0x1160) || (code >= 0x2E80 && code < 0xA4D0) ||
                    (code >= 0xAC00 && code < 0xD7A4) || (code >= 0xF900 && code < 0xFB00) ||
                    (code >= 0xFE30 && code < 0xFE70) || (code >= 0xFF00 && code < 0xFF61) ||
                    (code >= 0x1F300 && code < 0x1FB00) || (code >= 0x20000 && code < 0x40000);
  return wide ? 2 : 1;
}

// Takes the first character of `text` off it.
Character Take(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = Length(byte(0));
  bool whole = length != 0 && length <= text.size();
  char32_t code = length <= 1 ? byte(0) : byte(0) & (0xFFu >> (length + 1));
  for (std::size_t i = 1; whole && i < length; ++i) {
    whole = (byte(i) & 0xC0) == 0x80;
    code = code << 6 | (byte(i) & 0x3F);
  }
  if (!whole) {
    text.remove_prefix(1);
    return {kReplacement, 1};
  }
  Character character{std::string(text.substr(0, length)), Columns(code)};
  text.remove_prefix(length);
  if (code != '\n' && (code < 0x20 || code == 0x7F)) character.bytes = " ";
  return character;
}

// Lays words out in lines.
class Lines {
 public:
  explicit Lines(std::size_t columns) : columns_(columns) {}

  void Add(const Character& character) {
    if (character.bytes == "\n") {
      EndLine();
    } else if (character.bytes == " ") {
      EndWord();
      gap_ = !line_.empty();
    } else {
      if (word_columns_ + character.columns > columns_) EndWord();  // a word longer than a line is broken
      word_ += character.bytes;
      word_columns_ += character.columns;
    }
  }

  void EndLine() {
    EndWord();
    Break();
  }

  std::vector<std::string> lines;

 private:
  void EndWord() {
    if (word_.empty()) return;
    if (!line_.empty() && line_columns_ + gap_ + word_columns_ > columns_) Break();
    if (gap_ && !line_.empty()) {
      line_ += ' ';
      ++line_columns_;
    }
    line_ += std::exchange(word_, {});
    line_columns_ += std::exchange(word_columns_, 0);
    gap_ = false;
  }

  void Break() {
    lines.push_back(std::exchange(line_, {}));
    line_columns_ = 0;
    gap_ = false;
  }

  const std::size_t columns_;
  std::string line_;
  std::string word_;
  std::size_t line_columns_ = 0;
  std::size_t word_columns_ = 0;
  bool gap_ = false;  // a space is due before the next word of the line
};

}  // namespace

std::string WrapForBurnIn(std::string_view text, std::size_t columns, std::size_t lines) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  Lines laid(columns);
  while (!text.empty() && laid.lines.size() <= lines) laid.Add(Take(text));
  laid.EndLine();

  std::string wrapped;
  for (std::size_t i = 0; i < laid.lines.size() && i < lines; ++i) {
    if (i > 0) wrapped += '\n';
    wrapped += laid.lines[i];
  }
  if (laid.lines.size() > lines) wrapped += kEllipsis;
  return wrapped;
}

}  // namespace cosmos::plugins
