#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "plugin/plugin_library.h"
#include "workflow/plugin_facts.h"

namespace cosmos {

// The plugins found in the folders of the search path; the first folder that has an id wins. A plugin is loaded when it
// is first asked for, and its file is called as its id, with '_' or '-'. Thread-safe.
class Catalogue final : public PluginDirectory {
 public:
  // A file that is no usable plugin, or one that another of the same name hides.
  struct Complaint {
    std::filesystem::path path;
    std::string id;  // as the file's name says
    std::string message;
    std::string hint;
    bool shadowed = false;
  };

  explicit Catalogue(std::vector<std::filesystem::path> folders);

  // --plugin-path, $COSMOS_PLUGIN_PATH, the user's folder, the program's folder (DESIGN 8); only those that exist.
  static std::vector<std::filesystem::path> SearchPath(const std::string& plugin_path_option);

  const PluginFacts* Find(const std::string& id) const override;
  std::vector<std::string> Ids(PluginFacts::Kind kind) const override;
  std::string Problem(const std::string& id) const override;

  // The loaded plugin. Throws Error{kPlugin} when there is none or it is bad.
  PluginLibrary& Get(const std::string& id) const;
  // Loads everything, and gives what is good and what is not.
  std::vector<const PluginLibrary*> All() const;
  std::vector<Complaint> Complaints() const;

 private:
  struct Candidate {
    std::string id;
    std::filesystem::path path;
    std::unique_ptr<PluginLibrary> library;  // once loaded
    std::string problem;                     // why it could not be
    std::string hint;
    bool tried = false;
  };

  // Both REQUIRE mutex_ to be held.
  PluginLibrary* LoadLocked(Candidate* candidate) const;
  Candidate* FindLocked(const std::string& id) const;

  mutable std::mutex mutex_;                   // guards all that follows
  mutable std::vector<Candidate> candidates_;  // in the order of the search path, the hidden ones left out
  std::vector<Complaint> shadowed_;
};

}  // namespace cosmos
