#pragma once

#include <filesystem>
#include <string>

namespace cosmos::testing {

// A folder that looks like the checked-out code of the Cosmos models with their checkpoints, in which the stand-ins of
// tests/stand_ins are `torchrun` and `python` (below `bin`). What they "generate" is a clip of the given size and
// length. Does not own the folder.
class ModelRepo {
 public:
  ModelRepo(std::filesystem::path folder, const std::string& size, int frames);

  const std::filesystem::path& folder() const { return folder_; }
  // The parameters `repo` and `setup` of a stage that uses it, in YAML without braces.
  std::string Parameters() const { return "repo: " + folder_.string() + ", setup: 'PATH=$PWD/bin:$PATH'"; }
  // Another clip.
  void SetClip(const std::string& size, int frames) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace cosmos::testing
