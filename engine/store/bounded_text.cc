#include "store/bounded_text.h"

#include "core/text.h"

namespace cosmos::store {

std::string CutToCharacters(const std::string& text, std::size_t max_characters) {
  return TruncateUtf8(text, max_characters);
}

}  // namespace cosmos::store
