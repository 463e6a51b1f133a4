#pragma once

#include <cstddef>
#include <string>

namespace cosmos {
namespace store {

// TruncateUtf8 of core/text.h for this folder's C++14 code.
std::string CutToCharacters(const std::string& text, std::size_t max_characters);

}  // namespace store
}  // namespace cosmos
