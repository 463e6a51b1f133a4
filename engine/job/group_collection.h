#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/status.h"
#include "job/file_group.h"
#include "target/target.h"

namespace cosmos {

// The files of a group on this machine, and what else is in their folder (some of it, by name). `base`: the folder that
// its path is relative to. Throws Error{kIo} when it cannot be read, or has too many files.
struct LocalFiles {
  FileGroup::Sizes files;
  FileGroup::Sizes others;
};
LocalFiles LocalFilesOf(const FileGroup& group, const std::filesystem::path& base);

// One output that is several files, on its way from the target into the run's folder. Until all of them are here they
// are in a staging folder, so that nothing that is not complete stands where people look; what a crash left there is
// not fetched again. For one thread.
class GroupCollection {
 public:
  struct Places {
    std::string remote;             // absolute, the folder that the group's path is relative to
    std::string within;             // that the files must not leave through links; empty: they may
    std::filesystem::path local;    // the same on this machine
    std::filesystem::path staging;  // the same until all is here; empty: the files stay where they are
  };

  GroupCollection(FileGroup group, Places places);

  // Asks the target which files there are. What forbids to take them: output_invalid, with a clause; or nothing.
  // `unreadable`: because the target's account may not read them.
  Failure Look(Target* target, bool* unreadable);
  // What is to be downloaded; empty when the files stay where they are.
  std::vector<FileTransfer> Transfers() const;
  // Puts what has been downloaded into its place.
  void Publish() const;
  // The files that are here, by name below the group's folder.
  FileGroup::Sizes Files() const { return LocalFilesOf(group_, places_.local).files; }
  // What is wrong with these: as FileGroup has it, and whether all are here that the target has.
  Failure ProblemOf(const FileGroup::Sizes& files) const;
  // Removes what an earlier attempt left of it, complete or not.
  void RemoveOld() const;
  // Of its files, on this machine.
  std::filesystem::path Folder() const { return places_.local / group_.folder(); }
  // The folder itself, or the pattern in it.
  std::filesystem::path Path() const { return places_.local / group_.path(); }

 private:
  std::string RemoteFolder() const;
  // "" when it can be taken, and notes it.
  std::string Take(const FolderListing::Entry& entry);
  bool IsHere(const std::string& name) const;

  const FileGroup group_;
  const Places places_;
  std::set<std::string> links_;  // by name, on the target; first, as what they point to may be moved
  std::set<std::string> files_;
  std::set<std::string> folders_;  // that files are below
  FileGroup::Sizes others_;        // the other files that were listed
};

}  // namespace cosmos
