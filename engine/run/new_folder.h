#pragma once

#include <filesystem>
#include <vector>

namespace cosmos {

// A folder that is made on trial, so that it can be taken away again. For one thread.
class NewFolder {
 public:
  // Makes the folder, which only its owner may look into, and its parents; existing ones are left alone. Throws
  // Error{kIo}.
  void Make(const std::filesystem::path& path);
  // What was made stays.
  void Keep();
  // Removes the folder with all that is in it, and the parents unless others use them by now: as far as Make made them.
  void Discard() noexcept;

 private:
  std::filesystem::path folder_;                // empty: it was there before
  std::vector<std::filesystem::path> parents_;  // those that were not, the outermost first
};

}  // namespace cosmos
