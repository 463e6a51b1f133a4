#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cosmos {

// Rows and columns of a terminal; 0: not known, and nothing is cut.
struct ScreenSize {
  std::size_t rows = 0;
  std::size_t columns = 0;
};

// Of the terminal on stdout.
ScreenSize SizeOfScreen();

// As much of a text as a screen shows from its top: lines are cut at its edge, and those that are too many are counted
// in the last one. Colours may be in it.
std::string FitToScreen(std::string_view text, ScreenSize screen);

}  // namespace cosmos
