#include "documents/markdown.h"

#include <algorithm>
#include <regex>
#include <sstream>

namespace cosmos::testing {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string Trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(' ');
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

bool IsFenceLine(const std::string& line) { return Trimmed(line).rfind("```", 0) == 0; }

// Without the spaces that all lines begin with.
std::string Dedented(const std::vector<std::string>& lines) {
  std::size_t shared = std::string::npos;
  for (const std::string& line : lines) {
    if (!Trimmed(line).empty()) shared = std::min(shared, line.find_first_not_of(' '));
  }
  std::string text;
  for (const std::string& line : lines) text += (line.size() > shared ? line.substr(shared) : Trimmed(line)) + "\n";
  return text;
}

int LevelOf(const std::string& line) {
  const auto level = line.find_first_not_of('#');
  return level != line.npos && level > 0 && line[level] == ' ' ? static_cast<int>(level) : 0;
}

}  // namespace

std::vector<std::string> Pages(const fs::path& tree) {
  std::vector<std::string> pages = {"README.md"};
  for (const char* folder : {"docs", "sdk"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(tree / folder)) {
      if (entry.path().extension() == ".md") pages.push_back(fs::relative(entry.path(), tree));
    }
  }
  std::sort(pages.begin(), pages.end());
  return pages;
}

std::vector<Fence> FencesOf(const std::string& page, const std::string& text) {
  std::vector<Fence> fences;
  std::vector<std::string> inside;
  bool is_open = false;
  int number = 0;
  for (const std::string& line : LinesOf(text)) {
    ++number;
    if (!IsFenceLine(line)) {
      if (is_open) inside.push_back(line);
      continue;
    }
    if (is_open) {
      fences.back().text = Dedented(inside);
      inside.clear();
    } else {
      std::istringstream info(Trimmed(line).substr(3));
      Fence fence{page, number + 1, {}, {}, {}};
      info >> fence.language >> fence.mark;
      fences.push_back(fence);
    }
    is_open = !is_open;
  }
  return fences;
}

std::vector<Place> CodeSpansOf(const std::string& page, const std::string& text) {
  std::string prose;
  bool is_open = false;
  for (const std::string& line : LinesOf(text)) {
    if (IsFenceLine(line)) is_open = !is_open;
    prose += (is_open || IsFenceLine(line) ? "" : line) + "\n";
  }
  std::vector<Place> spans;
  const std::regex span("`([^`]+)`");
  for (std::sregex_iterator at(prose.begin(), prose.end(), span), end; at != end; ++at) {
    const auto line = std::count(prose.begin(), prose.begin() + at->position(), '\n') + 1;
    spans.push_back({page, static_cast<int>(line), std::regex_replace((*at)[1].str(), std::regex("\n *"), " ")});
  }
  return spans;
}

std::vector<std::vector<std::string>> RowsBelow(const std::string& heading, const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  int level = 0;
  for (const std::string& line : LinesOf(text)) {
    if (line == heading) {
      level = LevelOf(line);
    } else if (level > 0 && LevelOf(line) > 0 && LevelOf(line) <= level) {
      break;
    }
    if (level == 0 || line.empty() || line[0] != '|') continue;
    if (line.rfind("|---", 0) == 0) {
      rows.pop_back();  // the head
      continue;
    }
    std::vector<std::string> cells;
    std::istringstream stream(line.substr(1));
    for (std::string cell; std::getline(stream, cell, '|');) cells.push_back(Trimmed(cell));
    rows.push_back(cells);
  }
  return rows;
}

std::vector<std::string> CodeIn(const std::string& cell) {
  std::vector<std::string> code;
  for (const Place& span : CodeSpansOf("", cell)) code.push_back(span.text);
  return code;
}

}  // namespace cosmos::testing
