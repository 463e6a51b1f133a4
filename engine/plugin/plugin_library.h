#pragma once

#include <cosmos/plugin.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "workflow/plugin_facts.h"
#include "workflow/schema_checker.h"

namespace cosmos {

// One plugin's shared object, loaded and checked, for the rest of the process: plugins are never unloaded. Thread-safe.
class PluginLibrary {
 public:
  // Loads the file and reads the plugin's description; nothing else of it runs. Throws Error{kPlugin} that says what is
  // wrong with it and how to mend it: others may write the file or its folder, it is no shared object, a symbol is
  // missing or undefined, another SDK version, a description that is none, a required service that this host lacks.
  explicit PluginLibrary(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const PluginFacts& facts() const { return facts_; }

  // Checks parameters against the plugin's schema. Throws Error{kPlugin} when that is no schema.
  const SchemaChecker& Checker();
  // The plugin's functions, after its `init`, which is called once. Throws Error{kPlugin} when that failed.
  const cosmos_plugin_entry_t& Entry();

 private:
  const std::filesystem::path path_;
  cosmos_plugin_entry_t entry_{};  // of an older, shorter struct the tail stays zero
  PluginFacts facts_;
  std::mutex mutex_;                      // guards what follows
  std::optional<SchemaChecker> checker_;  // once asked for
  bool initialised_ = false;
  std::string init_error_;
};

}  // namespace cosmos
