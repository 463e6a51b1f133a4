#include "plugin/plugin_library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <fstream>

#include "core/error.h"
#include "core/ids.h"
#include "core/text.h"
#include "plugin/host_services.h"
#include "plugin/plugin_description.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void Refuse(const fs::path& path, const std::string& reason, const std::string& hint) {
  throw Error(ErrorCode::kPlugin, "the plugin '" + path.string() + "' cannot be used: " + reason, hint);
}

// Whoever can change the file or what is found under its name can run code as the user.
void CheckOwnership(const fs::path& plugin) {
  for (const fs::path& path : {plugin, plugin.parent_path()}) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) Refuse(plugin, std::strerror(errno), "check the path");
    if ((info.st_mode & S_IWOTH) != 0) {
      Refuse(plugin, "every user of this machine may write " + path.string(), "chmod o-w " + ShellQuote(path.string()));
    }
    if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
      Refuse(plugin, path.string() + " belongs to another user", "copy the plugin into a folder of your own");
    }
  }
}

void CheckElf(const fs::path& path) {
  char magic[4] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
  if (std::memcmp(magic, "\177ELF", sizeof magic) != 0) {
    Refuse(path, "it is no shared object (an ELF file was expected)", "build it with cosmos_add_plugin()");
  }
}

cosmos_plugin_entry_t Load(const fs::path& path) {
  CheckOwnership(path);
  CheckElf(path);
  namespace dll = boost::dll;
  // RTLD_NODELETE: it stays in the process when `library` goes. The throwing constructor keeps the linker's message.
  const auto mode = static_cast<dll::load_mode::type>(dll::load_mode::rtld_now | dll::load_mode::rtld_local |
                                                      static_cast<dll::load_mode::type>(RTLD_NODELETE));
  dll::shared_library library;
  try {
    library.load(path.string(), mode);
  } catch (const std::exception& error) {
    const std::string reason = error.what();
    const bool undefined = reason.find("undefined symbol") != reason.npos;
    Refuse(path, reason,
           undefined ? "link what it needs into it; --no-undefined finds this when the plugin is built"
                     : "build it for this machine and install the libraries it needs");
  }
  if (!library.has("cosmos_plugin_entry")) {
    Refuse(path, "it does not export the symbol cosmos_plugin_entry",
           "write COSMOS_PLUGIN(YourStage) in one of its sources and build it with cosmos_add_plugin()");
  }
  const auto* entry = &library.get<const cosmos_plugin_entry_t>("cosmos_plugin_entry");
  if (entry->sdk_major != COSMOS_SDK_MAJOR || entry->sdk_minor > COSMOS_SDK_MINOR) {
    Refuse(path,
           fmt::format("it was built for version {}.{} of the SDK, and this program has {}.{}", entry->sdk_major,
                       entry->sdk_minor, COSMOS_SDK_MAJOR, COSMOS_SDK_MINOR),
           "build it with the SDK of this program");
  }
  cosmos_plugin_entry_t copy{};
  std::memcpy(&copy, entry, std::min<std::size_t>(entry->struct_size, sizeof copy));
  if (copy.describe == nullptr || copy.create == nullptr || copy.destroy == nullptr) {
    Refuse(path, "its cosmos_plugin_entry lacks describe, create or destroy", "fill them in");
  }
  return copy;
}

// No exception may cross the ABI; of one that does all the same, the text is better than a crash.
template <typename Call>
cosmos_status Guarded(std::string* reason, Call call) {
  try {
    return call();
  } catch (const std::exception& error) {
    *reason = std::string("an exception left it: ") + error.what();
  } catch (...) {
    *reason = "an exception of unknown type left it";
  }
  return COSMOS_ERROR;
}

PluginFacts FactsOf(const fs::path& path, const cosmos_plugin_entry_t& entry) {
  std::string text, reason;
  if (Guarded(&reason, [&] { return entry.describe(SinkInto(&text), SinkInto(&reason)); }) != COSMOS_OK) {
    Refuse(path, "its description failed: " + reason, "mend its Describe()");
  }
  PluginFacts facts;
  try {
    facts = ReadDescription(text);
  } catch (const std::exception& error) {
    Refuse(path, std::string("its description cannot be read: ") + error.what(), "mend its Describe()");
  }
  if (!IsSafeName(facts.id)) Refuse(path, "its id '" + facts.id + "' is no usable name", "use A-Z a-z 0-9 . _ -");
  return facts;
}

void CheckServices(const fs::path& path, const PluginFacts& facts) {
  const std::vector<std::string> served = ServiceIds();
  for (const std::string& id : facts.required_services) {
    if (std::find(served.begin(), served.end(), id) != served.end()) continue;
    Refuse(path, "it requires the service '" + id + "', which this program does not have", Suggestion(id, served));
  }
}

void CheckFunctions(const fs::path& path, const PluginFacts& facts, const cosmos_plugin_entry_t& entry) {
  const bool complete = facts.kind == PluginFacts::Kind::kStage
                            ? entry.run != nullptr
                            : entry.start != nullptr && entry.on_event != nullptr && entry.stop != nullptr;
  if (complete) return;
  Refuse(path, "its cosmos_plugin_entry lacks a function of its kind",
         facts.kind == PluginFacts::Kind::kStage ? "fill in run" : "fill in start, on_event and stop");
}

}  // namespace

PluginLibrary::PluginLibrary(const fs::path& path) : path_(path), entry_(Load(path)), facts_(FactsOf(path, entry_)) {
  CheckServices(path_, facts_);
  CheckFunctions(path_, facts_, entry_);
}

const SchemaChecker& PluginLibrary::Checker() {
  const std::lock_guard lock(mutex_);
  if (!checker_) {
    try {
      checker_.emplace(facts_.parameters);
    } catch (const Error& error) {
      Refuse(path_, "the schema of its parameters is wrong: " + error.message(), "mend its Describe()");
    }
  }
  return *checker_;
}

const cosmos_plugin_entry_t& PluginLibrary::Entry() {
  const std::lock_guard lock(mutex_);
  if (!initialised_) {
    initialised_ = true;
    const auto init = [&] { return entry_.init(Host(), SinkInto(&init_error_)); };
    if (entry_.init != nullptr && Guarded(&init_error_, init) != COSMOS_OK && init_error_.empty()) {
      init_error_ = "it gave no reason";
    }
  }
  if (!init_error_.empty()) Refuse(path_, "its init failed: " + init_error_, "see the plugin's documentation");
  return entry_;
}

}  // namespace cosmos
