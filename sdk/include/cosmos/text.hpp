// SPDX-License-Identifier: BSL-1.0
//
// Texts as they cross the C ABI, and JSON in them.
#ifndef COSMOS_TEXT_HPP_
#define COSMOS_TEXT_HPP_

#include <cosmos/plugin.h>
#include <cosmos/parse_json.hpp>

#include <string>
#include <string_view>

namespace cosmos::sdk {

inline cosmos_str ToC(std::string_view text) noexcept { return {text.data(), text.size()}; }

// Valid as long as `text` is.
inline std::string_view FromC(cosmos_str text) noexcept {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

inline void Write(cosmos_sink sink, std::string_view text) {
  if (sink.write != nullptr) sink.write(sink.self, ToC(text));
}

// JSON for the other side. Bytes that are no UTF-8, such as an odd file name's, become U+FFFD: a message with a mark in
// it is worth more than none.
inline std::string Dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

// A sink that keeps what was written in a string.
class TextSink {
 public:
  TextSink() = default;
  TextSink(const TextSink&) = delete;
  TextSink& operator=(const TextSink&) = delete;

  // Valid as long as this object.
  cosmos_sink sink() noexcept { return {this, &TextSink::Append}; }
  const std::string& text() const noexcept { return text_; }

 private:
  static void Append(void* self, cosmos_str text) noexcept {
    try {
      static_cast<TextSink*>(self)->text_.append(FromC(text));
    } catch (...) {  // no memory; the text stays short, and nothing crosses the ABI
    }
  }

  std::string text_;
};

}  // namespace cosmos::sdk

#endif  // COSMOS_TEXT_HPP_
