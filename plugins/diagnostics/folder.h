#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace cosmos::plugins {

// The folder of a diagnosis: the one door through which anything is written, so that nothing is written that was not
// redacted and bounded. Thread-safe for different files.
class Folder {
 public:
  // What knows the values of the run's secrets.
  using Redact = std::function<std::string(std::string_view text)>;

  static constexpr std::size_t kMostBytes = 1 << 20;  // of one file

  // `path` exists. Removes what an earlier diagnosis of the plugin left there, by its manifest, and nothing else.
  Folder(std::filesystem::path path, Redact redact);

  // Writes `text`, readable for the owner alone, and gives what was written. Throws std::runtime_error that says why it
  // cannot. REQUIRES: `name` is made of letters, digits, '.', '_' and '-'.
  std::string Write(const std::string& name, std::string_view text) const;

  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_;
  const Redact redact_;
};

// Whether it may become the name of a file.
bool IsSafeName(std::string_view name);

}  // namespace cosmos::plugins
