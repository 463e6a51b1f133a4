#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cosmos::plugins {

// What is asked of one aspect of the picture: "auto" (by rule), "none" (add nothing), or the words to add.
struct Wishes {
  std::string camera = "auto";
  std::string light = "auto";
  std::string style = "auto";
};

struct Addition {
  std::string aspect;  // "camera", "light" or "style"
  std::string text;
  std::string why;
};

struct Enhancement {
  std::string prompt;             // starts with the artist's words, unchanged
  std::vector<Addition> added;    // in the order of the text
  std::vector<std::string> kept;  // why something was not added, a sentence each
};

// Adds wording for camera, light and style to an English prompt, by fixed rules over its words: suited to what the
// prompt says, and nothing that it says already. Another language gets the general wording. Depends on its arguments
// alone.
Enhancement EnhanceByRules(std::string_view prompt, const Wishes& wishes);

}  // namespace cosmos::plugins
