#pragma once

#include <cosmos/text.hpp>
#include <filesystem>
#include <map>
#include <string>

namespace cosmos::plugins {

// A path in which `{show}` and the like stand for values. Throws StageFailure invalid_input for one that there is not,
// or that has no value, and for values that no file's name can hold.
std::string Expanded(const std::string& path, const std::map<std::string, std::string>& values);

// Whose version it is: one stage of one run. A value.
struct VersionOwner {
  std::string run_id;
  std::string stage;  // with its instance
};

// The folders of a shot's versions, side by side: `PARENT/PREFIX v003 SUFFIX`. Each says in its version.json whose it
// is, and comes into being complete with that, so that of two runs that want the same version one gets it. Only for one
// thread; other processes may work in the same place.
class VersionFolders {
 public:
  // `pattern`: a path whose last name has `{version}` once; all else is expanded. Throws StageFailure invalid_input.
  VersionFolders(const std::string& pattern, int padding, VersionOwner owner);

  // The version that the owner has already, else the one after the highest that there is. Made with `facts`, to which
  // owner and version are added. Throws StageFailure.
  int TakeNext(const sdk::Json& facts);
  // This version: the run's own, or one that there is not yet. Throws StageFailure invalid_input when another run has
  // it.
  void Take(int version, const sdk::Json& facts);

  std::string NameOf(int version) const;  // v003
  std::filesystem::path FolderOf(int version) const;

 private:
  // By number.
  std::map<int, std::filesystem::path> Found() const;
  // False when the version is there already.
  bool Make(int version, sdk::Json facts) const;

  std::filesystem::path parent_;
  std::string prefix_, suffix_;
  const int padding_;
  const VersionOwner owner_;
};

// Copies a file to `target`, which comes into being complete; one that is there and has the same content is left alone.
// Throws StageFailure: invalid_input when another one is there or there is no such file.
void CopyWithoutReplacing(const std::filesystem::path& file, const std::filesystem::path& target);

}  // namespace cosmos::plugins
