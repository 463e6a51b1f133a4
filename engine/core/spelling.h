#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

// A text to look for, in every spelling in which programs print it: as it is, with each character escaped or not as in
// JSON (\" \n \/ \u0022, also JSON within JSON), in shells (\' '\'' '"'"' $'\n'), URLs (%22, + for a space), HTML
// (&quot; &#34;), C and Python (\x22 \042) and CSV (""); or as a part of something in base64. Immutable.
class Spelling {
 public:
  static Spelling OfText(std::string_view text);
  // As bytes within base64 of either alphabet, in lines or not: one for each of the three alignments.
  static std::vector<Spelling> OfBase64(std::string_view bytes);

  struct Match {
    std::size_t end = std::string_view::npos;  // of the longest one
    bool open = false;                         // more text may make one, or a longer one
  };
  // Whether the text stands in `text` at `begin`.
  Match At(std::string_view text, std::size_t begin) const;

  using Bytes = std::bitset<256>;
  // Bytes with which it may begin, and those that may stand behind such a first byte.
  Bytes FirstBytes() const { return BytesOf(0); }
  Bytes SecondBytes(unsigned char first) const;

 private:
  class Search;

  std::size_t size() const { return sextets_.empty() ? bytes_.size() : sextets_.size(); }
  bool Accepts(std::size_t index, unsigned char byte) const;
  // With which the element may begin, in any spelling.
  Bytes BytesOf(std::size_t index) const;

  std::string bytes_;
  std::vector<std::uint64_t> sextets_;  // of base64: which of the 64 values may stand there
};

}  // namespace cosmos
