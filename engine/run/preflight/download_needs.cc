#include "run/preflight/download_needs.h"

#include <fmt/format.h>

#include "run/preflight/target_needs.h"
#include "workflow/expression.h"

namespace cosmos {
namespace {

using Severity = PreflightFinding::Severity;

// Nearly all images have it so, and it can be looked at only where a mount says the same.
constexpr const char* kHomeInContainers = "/root/";

std::string Within(const std::string& folder, const std::string& path) {
  return folder.empty() ? path : folder + (folder.back() == '/' ? "" : "/") + path;
}

// The folder that the workflow gives, else the usual one.
std::string FolderOf(const StageNeeds& needs) {
  const auto given = needs.env.find(needs.download.variable);
  std::string folder = given == needs.env.end() ? needs.download.folder : given->second;
  if (!needs.container.is_null() && folder.rfind("~/", 0) == 0) folder.replace(0, 2, kHomeInContainers);
  return folder;
}

}  // namespace

const char* const kDownloadFunction =
    "room() {\n"
    "  if [ -e \"$2\" ] && { [ ! -d \"$2\" ] || [ ! -r \"$2\" ] || [ -n \"$(ls -A -- \"$2\")\" ]; }; then\n"
    "    echo \"download_$1 there\"; return\n"
    "  fi\n"
    "  printf 'download_path_%s %s\\n' \"$1\" \"$2\"\n"
    "  disk=$2\n"
    "  until [ -e \"$disk\" ]; do disk=$(dirname -- \"$disk\"); done\n"
    "  set -- \"$1\" $(stat -f -c '%a %S' -- \"$disk\" 2>/dev/null)\n"
    "  [ $# = 3 ] && echo \"download_$1 $(($2 * $3))\"\n"
    "}\n";

std::optional<std::string> DownloadLines(const StageNeeds& needs, const std::string& workdir) {
  const StageNeeds::Download& download = needs.download;
  const std::string folder = FolderOf(needs);
  if (download.path.empty() || HasExpressions(folder)) return std::nullopt;
  const bool by_host =
      needs.container.is_null() && !download.variable.empty() && !needs.env.contains(download.variable);
  if (by_host) {  // the job starts with what the host's shell has
    return fmt::format("path=${0}; [ -n \"$path\" ] || path={1}\npath=$path/{2}\n", download.variable, PathWord(folder),
                       PathWord(download.path));
  }
  const auto path = PathOnHost(needs, Within(folder, download.path), workdir);
  return path ? std::optional<std::string>("path=" + PathWord(*path) + "\n") : std::nullopt;
}

PreflightFindings JudgeDownload(const StageNeeds& needs, const TargetFacts& answers, int number) {
  const StageNeeds::Download& download = needs.download;
  if (download.path.empty()) return {};
  const auto tell = [&](Severity severity, const std::string& path, const std::string& message,
                        const std::string& hint) -> PreflightFindings {
    return {{severity, needs.stage, needs.target, "", path, message, hint}};
  };
  const std::string variable = download.variable.empty() ? "" : fmt::format(" (`env: {{{}: …}}`)", download.variable);
  if (number < 0) {
    const std::string path = Within(FolderOf(needs), download.path);
    if (needs.container.is_null() || HasExpressions(path)) return {};
    return tell(
        Severity::kInfo, path,
        fmt::format("'{}' is inside the container's image; what is downloaded there goes with each container", path),
        "mount a folder of the host there to keep it");
  }
  const auto free = answers.Number(fmt::format("download_{}", number));
  const std::string path = answers.Get(fmt::format("download_path_{}", number));
  if (path.empty() || !free) return {};
  const double free_gb = *free / 1e9;
  if (download.gb <= 0) {
    return tell(
        Severity::kInfo, path,
        fmt::format("'{}' is not there yet and will be downloaded; how much that is is not known, {:.1f} GB are "
                    "free there",
                    path, free_gb),
        "");
  }
  if (free_gb < download.gb) {
    return tell(Severity::kError, path,
                fmt::format("'{}' is not there yet: {:.1f} GB are free for it, expected about {:g} GB, which are to be "
                            "downloaded",
                            path, free_gb, download.gb),
                "free space there, or name a folder on another disk" + variable);
  }
  return tell(Severity::kInfo, path,
              fmt::format("'{}' is not there yet; about {:g} GB are to be downloaded", path, download.gb), "");
}

}  // namespace cosmos
