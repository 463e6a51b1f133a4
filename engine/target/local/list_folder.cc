#include "target/local/list_folder.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using State = FolderListing::State;
using Kind = FolderListing::Kind;

Kind KindOf(const fs::directory_entry& entry) {
  std::error_code error;
  if (!entry.is_symlink(error)) return entry.is_regular_file(error) ? Kind::kFile : Kind::kOther;
  const fs::file_status status = entry.status(error);
  if (fs::is_regular_file(status)) return Kind::kLink;
  if (fs::is_directory(status)) return Kind::kLinkToFolder;
  return fs::exists(status) ? Kind::kOther : Kind::kDangling;
}

// Adds what is below `folder`, whose names begin with `prefix`; gives what went wrong.
State Add(const fs::path& folder, const std::string& prefix, bool deep, std::size_t* room, FolderListing* listing) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string path = prefix + entry->path().filename().string();
    std::error_code ignored;
    if (!entry->is_symlink(ignored) && entry->is_directory(ignored)) {
      const State below = deep ? Add(entry->path(), path + "/", deep, room, listing) : State::kListed;
      if (below != State::kListed) return below;
      continue;
    }
    if (path.size() > *room) return State::kTooLong;
    *room -= path.size();
    listing->entries.push_back({path, KindOf(*entry)});
  }
  return error ? State::kUnreadable : State::kListed;
}

}  // namespace

FolderListing ListFolder(const std::string& folder, const std::string& within, bool deep) {
  const auto is = [](State state) { return FolderListing{state, {}}; };
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  if (error == std::errc::permission_denied) return is(State::kUnreadable);
  if (error) return is(State::kMissing);
  if (!fs::is_directory(real, error)) return is(State::kNoFolder);
  if (!within.empty()) {
    const fs::path limit = fs::canonical(within, error);
    if (std::mismatch(limit.begin(), limit.end(), real.begin(), real.end()).first != limit.end()) {
      return is(State::kOutside);
    }
  }
  if (::access(real.c_str(), R_OK | X_OK) != 0) return is(State::kUnreadable);
  FolderListing listing;
  std::size_t room = FolderListing::kMaxBytes;
  listing.state = Add(real, "", deep, &room, &listing);
  std::sort(listing.entries.begin(), listing.entries.end(), [](auto& a, auto& b) { return a.path < b.path; });
  return listing;
}

}  // namespace cosmos
