#include "media/control_names.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace cosmos {
namespace {

const std::map<std::string, std::string, std::less<>>& Aliases() {
  static const std::map<std::string, std::string, std::less<>> kAliases = {{"color", "color"},
                                                                           {"colour", "color"},
                                                                           {"beauty", "color"},
                                                                           {"rgb", "color"},
                                                                           {"rgba", "color"},
                                                                           {"diffuse", "color"},
                                                                           {"vis", "vis"},
                                                                           {"blur", "vis"},
                                                                           {"seg", "seg"},
                                                                           {"segmentation", "seg"},
                                                                           {"mask", "seg"},
                                                                           {"cryptomatte", "seg"},
                                                                           {"crypto", "seg"},
                                                                           {"id", "seg"},
                                                                           {"ids", "seg"},
                                                                           {"edge", "edge"},
                                                                           {"edges", "edge"},
                                                                           {"canny", "edge"},
                                                                           {"line", "edge"},
                                                                           {"lines", "edge"},
                                                                           {"lineart", "edge"},
                                                                           {"depth", "depth"},
                                                                           {"z", "depth"},
                                                                           {"zdepth", "depth"},
                                                                           {"zbuffer", "depth"},
                                                                           {"keypoint", "keypoint"},
                                                                           {"keypoints", "keypoint"},
                                                                           {"pose", "keypoint"},
                                                                           {"openpose", "keypoint"},
                                                                           {"hdmap", "hdmap"},
                                                                           {"lidar", "lidar"}};
  return kAliases;
}

// The words of a name in small letters: runs of letters, split where a capital one follows a small one.
std::vector<std::string> Words(std::string_view name) {
  std::vector<std::string> words;
  bool in_word = false;
  char before = ' ';
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = std::isalpha(byte) != 0;
    const bool hump = std::isupper(byte) != 0 && std::islower(static_cast<unsigned char>(before)) != 0;
    if (letter && (!in_word || hump)) words.emplace_back();
    if (letter) words.back() += static_cast<char>(std::tolower(byte));
    in_word = letter;
    before = c;
  }
  return words;
}

}  // namespace

const std::vector<std::string>& ControlNames() {
  static const std::vector<std::string> kNames = {"color", "vis", "seg", "edge", "depth", "keypoint", "hdmap", "lidar"};
  return kNames;
}

std::vector<std::string> ControlsNamedBy(std::string_view path) {
  // The extension says nothing: `.rgb` would be one.
  path = path.substr(0, std::max(path.rfind('.'), path.rfind('/') + 1));
  for (;;) {
    const std::size_t slash = path.rfind('/');
    std::set<std::string> controls;
    for (const std::string& word : Words(path.substr(slash + 1))) {
      if (const auto found = Aliases().find(word); found != Aliases().end()) controls.insert(found->second);
    }
    if (!controls.empty() || slash == path.npos) return {controls.begin(), controls.end()};
    path = path.substr(0, slash);
  }
}

}  // namespace cosmos
