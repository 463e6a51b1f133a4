#include <fmt/format.h>

#include <filesystem>

#include "cli/command.h"
#include "cli/state_home.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "run/rebuild/rebuild.h"
#include "run/run_paths.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFolders = 1000;

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

std::vector<fs::path> FoldersOf(const Arguments& arguments) {
  return {arguments.positionals().begin() + 1, arguments.positionals().end()};
}

void PrintCheck(const StoreCheck& check, const fs::path& path, Console* console) {
  console->PrintLine("database  " + path.string());
  for (const std::string& damage : check.damage) console->PrintLine("damaged   " + damage);
  if (!check.damage.empty()) {
    console->PrintLine(
        "move the file away; put a backup in its place, or restore the runs from their folders with "
        "`cosmos-engine db rebuild OUTPUT_DIR`");
    return;
  }
  console->PrintLine(fmt::format("sound     {}", Counted(static_cast<std::int64_t>(check.runs), "run")));
  for (const RunRecord& run : check.without_files) {
    console->PrintLine(
        fmt::format("no files  {}  expected {}", run.run_id, RunPaths(run.output_dir, run.run_id).folder().string()));
  }
  for (const fs::path& folder : check.without_records) console->PrintLine("no record " + folder.string());
  if (!check.without_files.empty()) {
    console->PrintLine("the files of a run were removed or moved; `cosmos-engine prune` deletes its record");
  }
  if (!check.without_records.empty()) {
    console->PrintLine("`cosmos-engine db rebuild --merge OUTPUT_DIR` restores the records of these folders");
  }
}

// Exit status 1: files and records disagree; 3: the database is damaged.
int Check(const fs::path& path, const Arguments& arguments, Console* console) {
  const StoreCheck check = CheckStore(path, FoldersOf(arguments));
  if (console->json()) {
    nlohmann::json without_files = nlohmann::json::array(), without_records = nlohmann::json::array();
    for (const RunRecord& run : check.without_files) without_files.push_back(run.run_id);
    for (const fs::path& folder : check.without_records) without_records.push_back(folder.string());
    console->PrintJson({{"path", path.string()},
                        {"ok", check.ok()},
                        {"runs", check.runs},
                        {"damage", check.damage},
                        {"runs_without_files", without_files},
                        {"files_without_runs", without_records}});
  } else {
    PrintCheck(check, path, console);
  }
  if (!check.damage.empty()) return kExitCannotWork;
  return check.ok() ? kExitSucceeded : kExitRunFailed;
}

// Moves a damaged database out of the way, with what belongs to it; gives its new place, empty when it is not damaged.
// Throws when there is a sound one with runs, which nobody has allowed to change.
fs::path MakeRoom(const fs::path& path, bool merge) {
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  bool sound = false;
  try {
    sound = RunStore::FindDamage(path).empty() && RunStore::Versions(path).latest > 0;
  } catch (const Error& problem) {
    if (problem.message().find("is not a database") == std::string::npos) throw;
  }
  if (sound) {
    RunQuery any;
    any.limit = 1;
    if (merge || RunStore::Open(path)->FindRuns(any).empty()) return {};
    throw Error(ErrorCode::kConflict, "the database '" + path.string() + "' is sound and has runs; nothing was changed",
                "`--merge` restores the runs of the folders in it and keeps all others");
  }
  const fs::path away =
      path.string() + ".damaged-" + std::to_string(UnixMilliseconds(std::chrono::system_clock::now()));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    if (fs::exists(path.string() + suffix, error)) fs::rename(path.string() + suffix, away.string() + suffix);
  }
  return away;
}

int RebuildDatabase(const fs::path& path, const Arguments& arguments, Console* console) {
  std::vector<fs::path> output_dirs = FoldersOf(arguments);
  if (output_dirs.empty()) output_dirs.emplace_back("outputs");
  const std::vector<fs::path> folders = RunFoldersBelow(output_dirs);
  const fs::path damaged = MakeRoom(path, arguments.Has("merge"));
  const RebuildReport report = Rebuild(folders, OpenStore(arguments).get());
  if (console->json()) {
    nlohmann::json left_out = nlohmann::json::array();
    for (const auto& [folder, reason] : report.left_out) {
      left_out.push_back({{"folder", folder.string()}, {"reason", reason}});
    }
    console->PrintJson({{"path", path.string()},
                        {"restored", report.restored},
                        {"left_out", left_out},
                        {"damaged", damaged.empty() ? nlohmann::json() : nlohmann::json(damaged.string())}});
    return kExitSucceeded;
  }
  if (!damaged.empty()) console->PrintLine("moved the damaged database to " + damaged.string());
  for (const auto& [folder, reason] : report.left_out) console->Warn("left out " + folder.string() + ": " + reason);
  console->PrintLine(fmt::format("restored {} in {}", Counted(static_cast<std::int64_t>(report.restored.size()), "run"),
                                 path.string()));
  return kExitSucceeded;
}

int Db(const Arguments& arguments, Console* console) {
  const std::string what = arguments.Positional(0).empty() ? "status" : arguments.Positional(0);
  const fs::path path = DatabasePath(arguments);
  if (what == "check") return Check(path, arguments, console);
  if (what == "rebuild") return RebuildDatabase(path, arguments, console);
  if (arguments.positionals().size() > (what == "backup" ? 2 : 1)) {
    throw Error(ErrorCode::kInvalidInput,
                "found '" + arguments.positionals().back() + "', which is one argument too many");
  }
  if (what == "status") return Status(path, console);
  if (what == "upgrade") return Upgrade(path, console);
  if (what == "backup") return Backup(path, arguments.Positional(1), console);
  throw Error(ErrorCode::kInvalidInput, "`db` cannot '" + what + "'",
              Suggestion(what, {"status", "upgrade", "backup", "check", "rebuild"}));
}

}  // namespace

Command DbCommand() {
  std::vector<OptionSpec> options = CommonOptions();
  options.push_back(DbOption());
  options.push_back({"merge", "", "rebuild: restore runs into a sound database that has runs"});
  return {"db",
          "[status|upgrade|backup FILE|check [DIR…]|rebuild [DIR…]] [options]",
          "Looks after the database of runs.",
          "status   shows the version of its schema\n"
          "upgrade  brings an older database up to date, after a copy beside it\n"
          "backup   makes a complete copy, even while runs continue\n"
          "check    checks the database, and compares it with the files of its runs and of those below each output\n"
          "         folder DIR; exit status 3: damaged, 1: records and files disagree\n"
          "rebuild  restores the runs of each output folder DIR (outputs) from their files, when the database is lost\n"
          "         or damaged; a damaged one is moved aside",
          options,
          {"ACTION", 0, kMostFolders},
          Db};
}

}  // namespace cosmos
