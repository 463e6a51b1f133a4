#include "job/group_collection.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "target/local/list_folder.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using State = FolderListing::State;
using Kind = FolderListing::Kind;

constexpr std::size_t kMaxOthers = 1000;  // that are kept to be told
constexpr std::size_t kMaxNameShown = 80;

Failure Invalid(const std::string& clause) { return {FailureKind::kOutputInvalid, clause}; }

}  // namespace

LocalFiles LocalFilesOf(const FileGroup& group, const fs::path& base) {
  const fs::path folder = base / group.folder();
  const FolderListing listing = ListFolder(folder, "", group.deep());
  if (listing.state == State::kUnreadable) throw IoError("read the folder", folder, EACCES);
  LocalFiles found;
  for (const FolderListing::Entry& entry : listing.entries) {
    const bool is_file = entry.kind == Kind::kFile || entry.kind == Kind::kLink;
    std::error_code error;
    if (is_file && group.Holds(entry.path)) {
      const auto size = fs::file_size(folder / entry.path, error);
      if (!error) found.files.emplace(entry.path, static_cast<std::int64_t>(size));
    } else if (found.others.size() < kMaxOthers) {
      found.others.emplace(entry.path, 0);
    }
  }
  if (listing.state == State::kTooLong || found.files.size() > FileGroup::kMaxFiles) {
    throw Error(ErrorCode::kIo, "the folder " + folder.string() + " has more than " +
                                    std::to_string(FileGroup::kMaxFiles) + " files, or very long names");
  }
  return found;
}

GroupCollection::GroupCollection(FileGroup group, Places places)
    : group_(std::move(group)), places_(std::move(places)) {}

std::string GroupCollection::RemoteFolder() const {
  return group_.folder().empty() ? places_.remote : places_.remote + "/" + group_.folder();
}

bool GroupCollection::IsHere(const std::string& name) const {
  std::error_code error;
  return fs::is_regular_file(Folder() / name, error) ||
         (!places_.staging.empty() && fs::is_regular_file(places_.staging / group_.folder() / name, error));
}

std::string GroupCollection::Take(const FolderListing::Entry& entry) {
  if (!group_.Holds(entry.path)) {
    if (others_.size() < kMaxOthers) others_.emplace(entry.path, 0);
    return "";
  }
  if (const std::string problem = NameProblem(entry.path); !problem.empty()) return problem;
  if (entry.kind == Kind::kLinkToFolder) return "is a link to a folder, which is not followed; let the job copy it";
  // Moved here, what a link points to is gone there.
  if (entry.kind == Kind::kDangling) return IsHere(entry.path) ? "" : "is a link that leads to no file";
  if (entry.kind == Kind::kOther) return "is no file";
  if (!(entry.kind == Kind::kLink ? links_ : files_).insert(entry.path).second) return "is there twice";
  for (std::size_t slash = 0; (slash = entry.path.find('/', slash + 1)) != entry.path.npos;) {
    folders_.insert(entry.path.substr(0, slash));
  }
  return "";
}

Failure GroupCollection::Look(Target* target, bool* unreadable) {
  links_.clear();
  files_.clear();
  folders_.clear();
  others_.clear();
  const FolderListing listing = target->List(RemoteFolder(), places_.within, group_.deep());
  *unreadable = listing.state == State::kUnreadable;
  if (*unreadable) {
    return Invalid("cannot be read by the target's account: permission denied in " + RemoteFolder() +
                   "; let the job make its files readable");
  }
  if (listing.state == State::kOutside) {
    return Invalid(
        "is reached by a link that leads out of the job's output folder, which is not followed; let the job copy it");
  }
  const std::string many = "more than " + std::to_string(FileGroup::kMaxFiles) + " files";
  if (listing.state == State::kTooLong) return Invalid("is in a folder of " + many + ", or of very long names");
  for (const FolderListing::Entry& entry : listing.entries) {
    const std::string problem = Take(entry);
    const std::string name = "has the file '" + Harmless(Excerpt(entry.path, kMaxNameShown)) + "', which ";
    if (!problem.empty()) return Invalid(name + problem);
    if (files_.size() + links_.size() > FileGroup::kMaxFiles) return Invalid("has " + many);
  }
  for (const std::string& folder : folders_) {
    if (files_.count(folder) + links_.count(folder) > 0) {
      return Invalid("has the file '" + Harmless(Excerpt(folder, kMaxNameShown)) + "', which is a folder as well");
    }
  }
  return {};
}

std::vector<FileTransfer> GroupCollection::Transfers() const {
  std::vector<FileTransfer> transfers;
  if (places_.staging.empty()) return transfers;
  std::error_code error;
  for (const auto* const names : {&links_, &files_}) {
    for (const std::string& name : *names) {
      const bool published = fs::exists(Folder() / name, error);
      const fs::path folder = published ? Folder() : places_.staging / group_.folder();
      transfers.push_back({folder / name, RemoteFolder() + "/" + name, "", places_.within});
    }
  }
  return transfers;
}

void GroupCollection::Publish() const {
  std::error_code error;
  const fs::path staging = places_.staging / group_.folder();
  if (places_.staging.empty() || !fs::exists(staging, error)) return;
  // At once, where nothing of it is there yet.
  if (group_.deep() && !fs::exists(Folder(), error)) {
    MakeFolders(Folder().parent_path());
    fs::rename(staging, Folder(), error);
    if (!error) return;
  }
  for (const auto& [name, size] : LocalFilesOf(group_, places_.staging).files) {
    MakeFolders((Folder() / name).parent_path());
    MoveFile(staging / name, Folder() / name);
  }
}

Failure GroupCollection::ProblemOf(const FileGroup::Sizes& files) const {
  for (const auto* const names : {&links_, &files_}) {
    for (const std::string& name : *names) {
      if (files.count(name) > 0) continue;
      return {FailureKind::kOutputMissing, "has lost the file '" + Harmless(Excerpt(name, kMaxNameShown)) +
                                               "', which was there when the job had ended"};
    }
  }
  return group_.ProblemOf(files, others_);
}

void GroupCollection::RemoveOld() const {
  if (places_.staging.empty()) return;
  std::error_code error;
  if (group_.deep()) {
    fs::remove_all(Folder(), error);
  } else {
    for (const auto& [name, size] : LocalFilesOf(group_, places_.local).files) fs::remove(Folder() / name, error);
  }
}

}  // namespace cosmos
