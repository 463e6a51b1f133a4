#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cosmos::plugins {

// `text` in lines of at most `columns` columns, broken between words where it can be, at most `lines` of them; what
// does not fit is told by an ellipsis. Line ends of the text stay; other control characters become spaces. Wide
// characters (CJK, emoji) take two columns. `text` is UTF-8; bytes that are not become U+FFFD.
std::string WrapForBurnIn(std::string_view text, std::size_t columns, std::size_t lines);

}  // namespace cosmos::plugins
