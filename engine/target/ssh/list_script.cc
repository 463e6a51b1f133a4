#include "target/ssh/list_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

using State = FolderListing::State;
using Kind = FolderListing::Kind;

constexpr std::pair<std::string_view, Kind> kKinds[] = {
    {"f", Kind::kFile}, {"l", Kind::kLink}, {"d", Kind::kLinkToFolder}, {"n", Kind::kDangling}, {"o", Kind::kOther}};
constexpr std::pair<std::string_view, State> kStates[] = {{"listed", State::kListed},
                                                          {"missing", State::kMissing},
                                                          {"no-folder", State::kNoFolder},
                                                          {"outside", State::kOutside},
                                                          {"unreadable", State::kUnreadable}};

template <typename Value, std::size_t kSize>
std::optional<Value> Named(std::string_view name, const std::pair<std::string_view, Value> (&names)[kSize]) {
  const auto* found =
      std::find_if(std::begin(names), std::end(names), [&](auto& entry) { return entry.first == name; });
  return found == std::end(names) ? std::nullopt : std::optional(found->second);
}

// What stands for a folder's files in a shell: hidden ones too, in the order of bytes.
constexpr const char* kListFunctions =
    "export LC_ALL=C\n"
    "state=listed\n"
    "tell() { printf '%s %s\\0' \"$1\" \"$2\"; }\n"
    "finish() { tell end \"$1\"; exit 0; }\n"
    "list() {\n"
    "  for file in \"$1\"* \"$1\".[!.]* \"$1\"..?*; do\n"
    "    if [ -L \"$file\" ]; then\n"
    "      if [ -f \"$file\" ]; then tell l \"$file\"\n"
    "      elif [ -d \"$file\" ]; then tell d \"$file\"\n"
    "      elif [ -e \"$file\" ]; then tell o \"$file\"\n"
    "      else tell n \"$file\"; fi\n"
    "    elif [ -f \"$file\" ]; then tell f \"$file\"\n"
    "    elif [ -d \"$file\" ]; then\n"
    "      if [ -z \"$deep\" ]; then :\n"
    "      elif [ -r \"$file\" ] && [ -x \"$file\" ]; then list \"$file/\"\n"
    "      else state=unreadable; fi\n"
    "    elif [ -e \"$file\" ]; then tell o \"$file\"; fi\n"
    "  done\n"
    "}\n"
    "look() {\n"
    "  if ! [ -d \"$1\" ]; then\n"
    "    if [ -e \"$1\" ] || [ -L \"$1\" ]; then finish no-folder; fi\n"
    "    case $(ls -Ld -- \"$1\" 2>&1) in *'ermission denied'*) finish unreadable ;; *) finish missing ;; esac\n"
    "  fi\n"
    "  if [ -n \"$2\" ]; then\n"
    "    case $(readlink -f -- \"$1\")/ in \"$(readlink -f -- \"$2\")\"/*) ;; *) finish outside ;; esac\n"
    "  fi\n"
    "  [ -r \"$1\" ] && cd -- \"$1\" 2>/dev/null || finish unreadable\n"
    "  list ''\n"
    "  finish \"$state\"\n"
    "}\n";

[[noreturn]] void Refuse(std::string_view record) {
  throw Error(ErrorCode::kUnavailable, "the host does not say what files it has: found '" + Harmless(Excerpt(record)) +
                                           "' in its list of a folder");
}

}  // namespace

std::string ListScript(const std::string& folder, const std::string& within, bool deep) {
  return fmt::format("{}deep={}\nlook {} {} | head -c {}\n", kListFunctions, deep ? "yes" : "", ShellQuote(folder),
                     ShellQuote(within), FolderListing::kMaxBytes);
}

FolderListing ParseListing(const std::string& output) {
  FolderListing listing;
  std::string_view rest = output;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\0');
    if (end == rest.npos) break;
    const std::string_view record = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const std::size_t space = std::min(record.find(' '), record.size());
    const std::string_view word = record.substr(0, space), value = record.substr(std::min(space + 1, record.size()));
    if (word == "end") {
      const auto state = Named(value, kStates);
      if (!state || !rest.empty()) Refuse(record);
      listing.state = *state;
      return listing;
    }
    const auto kind = Named(word, kKinds);
    if (!kind || value.empty()) Refuse(record);
    listing.entries.push_back({std::string(value), *kind});
  }
  if (output.size() < FolderListing::kMaxBytes) Refuse(output.empty() ? std::string_view("nothing") : rest);
  listing.state = State::kTooLong;
  return listing;
}

}  // namespace cosmos
