#include <fmt/format.h>

#include <filesystem>

#include "cli/command.h"
#include "cli/state_home.h"
#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;

int Status(const fs::path& path, Console* console) {
  if (!fs::exists(path)) {
    throw Error(ErrorCode::kNotFound, "there is no database at " + path.string(), "the first run makes it");
  }
  const SchemaVersions versions = RunStore::Versions(path);
  if (console->json()) {
    console->PrintJson({{"path", path.string()}, {"current", versions.current}, {"latest", versions.latest}});
    return kExitSucceeded;
  }
  console->PrintLine("database  " + path.string());
  console->PrintLine(fmt::format("version   {} (this program writes {})", versions.current, versions.latest));
  if (versions.current < versions.latest) console->PrintLine("`cosmos-engine db upgrade` brings it up to date");
  return kExitSucceeded;
}

int Upgrade(const fs::path& path, Console* console) {
  const SchemaVersions before = RunStore::Versions(path);
  const std::string backup = RunStore::Upgrade(path);
  if (console->json()) {
    console->PrintJson({{"path", path.string()},
                        {"from", before.current},
                        {"to", before.latest},
                        {"backup", backup.empty() ? nlohmann::json() : nlohmann::json(backup)}});
  } else if (backup.empty()) {
    console->PrintLine(fmt::format("nothing to do: the database is at version {}", before.latest));
  } else {
    console->PrintLine(fmt::format("upgraded from version {} to {}; before that, a copy was made:\n  {}",
                                   before.current, before.latest, backup));
  }
  return kExitSucceeded;
}

int Backup(const fs::path& path, const std::string& to, Console* console) {
  if (to.empty()) throw Error(ErrorCode::kInvalidInput, "FILE is missing", "write `cosmos-engine db backup FILE`");
  RunStore::Backup(path, fs::absolute(to));
  if (console->json()) {
    console->PrintJson({{"path", path.string()}, {"backup", fs::absolute(to).string()}});
  } else {
    console->PrintLine("copied to " + fs::absolute(to).string());
  }
  return kExitSucceeded;
}

int Db(const Arguments& arguments, Console* console) {
  const std::string what = arguments.Positional(0).empty() ? "status" : arguments.Positional(0);
  const fs::path path = DatabasePath(arguments);
  if (what == "status") return Status(path, console);
  if (what == "upgrade") return Upgrade(path, console);
  if (what == "backup") return Backup(path, arguments.Positional(1), console);
  throw Error(ErrorCode::kInvalidInput, "`db` cannot '" + what + "'",
              Suggestion(what, {"status", "upgrade", "backup"}));
}

}  // namespace

Command DbCommand() {
  std::vector<OptionSpec> options = CommonOptions();
  options.push_back(DbOption());
  return {"db",
          "[status|upgrade|backup FILE] [options]",
          "Looks after the database of runs.",
          "status   tells the version of its schema\n"
          "upgrade  brings an older database up to date, after a copy beside it\n"
          "backup   makes a copy that is whole even while runs go on",
          options,
          {"ACTION", 0, 2},
          Db};
}

}  // namespace cosmos
