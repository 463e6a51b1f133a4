#pragma once

#include <filesystem>
#include <string>
#include <vector>

// The documents of the tree, taken apart as far as the tests look at them.
namespace cosmos::testing {

// A block between ``` lines. `mark` is what stands behind the language, which readers do not see: ```yaml config.
struct Fence {
  std::string page;
  int line = 0;  // of its first line of text, from 1
  std::string language;
  std::string mark;
  std::string text;  // without the indentation that all its lines share

  std::string Place() const { return page + ":" + std::to_string(line); }
};

// A text in the page, with its line.
struct Place {
  std::string page;
  int line = 0;
  std::string text;
};

// The pages below the tree that users read, relative to it.
std::vector<std::string> Pages(const std::filesystem::path& tree);
std::vector<Fence> FencesOf(const std::string& page, const std::string& text);
// What stands between single backticks outside of fences, also over the end of a line.
std::vector<Place> CodeSpansOf(const std::string& page, const std::string& text);
// The cells of each row of the tables below the heading (`## Title`), up to the next one of its level; without the
// tables' heads.
std::vector<std::vector<std::string>> RowsBelow(const std::string& heading, const std::string& text);
// The code spans of a cell.
std::vector<std::string> CodeIn(const std::string& cell);

}  // namespace cosmos::testing
