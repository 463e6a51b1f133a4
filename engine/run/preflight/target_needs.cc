#include "run/preflight/target_needs.h"

#include <fmt/format.h>

#include <utility>

#include "core/text.h"
#include "run/preflight/download_needs.h"
#include "run/targets/entrypoint_check.h"
#include "run/targets/gpu_container.h"
#include "target/gpu/nvidia_smi.h"

namespace cosmos {
namespace {

using Severity = PreflightFinding::Severity;

constexpr int kLongest = 30;  // seconds for a program that asks a driver, a daemon or a registry
constexpr std::size_t kMostSaid = 300;

bool IsBelow(const std::string& path, const std::string& folder) {
  return path == folder || path.rfind(folder.back() == '/' ? folder : folder + "/", 0) == 0;
}

bool IsWhole(const std::string& path) { return path.rfind('/', 0) == 0 || path.rfind("~/", 0) == 0; }

std::string Below(const std::string& folder, const std::string& path) {
  if (IsWhole(path) || folder.empty()) return path;
  if (path.empty()) return folder;
  return folder + (folder.back() == '/' ? "" : "/") + path;
}

}  // namespace

std::string PathWord(const std::string& path) {
  return path.rfind("~/", 0) == 0 ? "\"$HOME\"/" + ShellQuote(path.substr(2)) : ShellQuote(path);
}

std::optional<std::string> PathOnHost(const StageNeeds& needs, const std::string& file, const std::string& workdir) {
  const bool inside = !needs.container.is_null();
  const std::string start = inside ? needs.container.value("workdir", workdir) : workdir;
  const std::string path = Below(Below(start, needs.folder), file);
  if (!inside) return path;
  if (path.rfind("~/", 0) == 0) return std::nullopt;
  // The workdir is always mounted under its own path; of several mounts the innermost counts.
  std::string host = workdir;
  std::string mounted = workdir;
  bool found = IsBelow(path, workdir);
  for (const std::string& mount : needs.container.value("mounts", std::vector<std::string>())) {
    const std::size_t colon = mount.find(':');
    const std::string where = mount.substr(colon + 1, mount.find(':', colon + 1) - colon - 1);
    if (colon == mount.npos || !IsBelow(path, where) || (found && where.size() < mounted.size())) continue;
    const std::string from = mount.substr(0, colon);
    host = from.rfind("./", 0) == 0 ? workdir + from.substr(1) : from;
    mounted = where;
    found = true;
  }
  if (!found) return std::nullopt;
  return host + (path.size() > mounted.size() ? "/" + path.substr(mounted.size() + (mounted.back() != '/')) : "");
}

std::optional<std::string> TargetQuestions::FolderOf(const StageNeeds& needs) const {
  return needs.files.empty() || needs.folder.empty() ? std::nullopt : PathOnHost(needs, "", workdir_);
}

TargetQuestions::Image TargetQuestions::ImageOf(const StageNeeds& needs) {
  return {ContainerEngine::FromJson(needs.container), needs.container.value("image", "")};
}

void TargetQuestions::Ask(const StageNeeds& needs) {
  for (const std::string& file : needs.files) {
    if (const auto path = PathOnHost(needs, file, workdir_)) files_.emplace(*path, files_.size());
  }
  if (const auto folder = FolderOf(needs)) files_.emplace(*folder, files_.size());
  gpus_ = gpus_ || needs.gpus_asked || needs.gpu_memory_gb > 0 || !needs.driver.empty();
  disk_ = disk_ || needs.disk_gb > 0;
  if (const auto lines = DownloadLines(needs, workdir_)) downloads_.emplace(*lines, downloads_.size());
  if (!needs.container.is_null()) {
    images_.emplace(ImageOf(needs), images_.size());
    entrypoints_.try_emplace(EntrypointOf(needs), needs.container, static_cast<int>(entrypoints_.size()));
    if (needs.gpus_asked) gpu_containers_.emplace(ImageOf(needs), needs.container);
  } else {
    for (const std::string& program : needs.programs) programs_.emplace(program, programs_.size());
  }
}

std::string TargetQuestions::Script() const {
  std::string script =
      "export LC_ALL=C\n"
      "tell() { while IFS= read -r line; do printf '%s %s\\n' \"$1\" \"$line\"; done; }\n";
  for (const auto& [path, number] : files_) {
    script += fmt::format("if [ -e {} ]; then echo 'file_{} yes'; else echo 'file_{} no'; fi\n", PathWord(path), number,
                          number);
  }
  for (const auto& [program, number] : programs_) {
    script += fmt::format("if command -v {} >/dev/null; then echo 'program_{} yes'; else echo 'program_{} no'; fi\n",
                          ShellQuote(program), number, number);
  }
  if (!downloads_.empty()) script += kDownloadFunction;
  for (const auto& [lines, number] : downloads_) script += lines + fmt::format("room {} \"$path\"\n", number);
  if (disk_) {
    script += fmt::format(
        "at={}\nuntil [ -e \"$at\" ]; do at=${{at%/*}}; at=${{at:-/}}; done\n"
        "set -- $(stat -f -c '%a %S' -- \"$at\" 2>/dev/null)\n[ $# = 2 ] && echo \"free $(($1 * $2))\"\n",
        ShellQuote(workdir_));
  }
  if (gpus_) script += GpuScript(false);
  for (const auto& [image, number] : images_) {
    const std::string engine = fmt::format("timeout {} {}", kLongest, image.engine.Words());
    script += fmt::format(
        "if {0} image inspect {1} >/dev/null 2>&1; then echo 'image_{2} there'\n"
        "elif ! says=$({0} version 2>&1); then echo 'image_{2} unknown'\n"
        "elif says=$({0} manifest inspect {1} 2>&1); then echo 'image_{2} pullable'\n"
        "else echo 'image_{2} absent'; printf '%s\\n' \"$says\" | tell image_says_{2}; fi\n",
        engine, ShellQuote(image.name), number);
  }
  for (const auto& [key, container] : entrypoints_) {
    script += EntrypointScript(container.first, fmt::format("entrypoint_{}", container.second));
  }
  for (const auto& [image, container] : gpu_containers_) {
    script += GpuContainerScript(container, GpuContainerKey(image));
  }
  return script;
}

void TargetQuestions::JudgeFiles(const StageNeeds& needs, const TargetFacts& answers,
                                 PreflightFindings* findings) const {
  const auto add = [&](Severity severity, const std::string& file, const std::string& message,
                       const std::string& hint) {
    findings->push_back({severity, needs.stage, needs.target, "", file, message, hint});
  };
  // Of a folder that is not there each of its files would be told of.
  std::optional<std::string> folder = FolderOf(needs);
  if (folder && answers.Get(fmt::format("file_{}", files_.at(*folder))) != "no") folder.reset();
  if (folder) {
    add(Severity::kError, *folder,
        fmt::format("there is no folder '{}', and the job needs what should be in it", *folder), needs.files_hint);
  }
  for (const std::string& file : needs.files) {
    const auto path = PathOnHost(needs, file, workdir_);
    if (path && folder && IsBelow(*path, *folder)) continue;
    if (!path) {
      add(Severity::kInfo, file, fmt::format("'{}' is inside the container's image, and is not looked for", file), "");
      continue;
    }
    const std::string answer = answers.Get(fmt::format("file_{}", files_.at(*path)));
    if (answer == "no") {
      add(Severity::kError, *path, fmt::format("there is no '{}', and the job needs it", *path), needs.files_hint);
    } else if (answer.empty()) {
      add(Severity::kWarning, *path, fmt::format("whether there is '{}' is not known", *path), "");
    }
  }
  if (!needs.container.is_null()) return;
  for (const std::string& program : needs.programs) {
    if (answers.Get(fmt::format("program_{}", programs_.at(program))) != "no") continue;
    add(Severity::kError, program, fmt::format("there is no program '{}', and the job starts with it", program),
        "install it, or say in `setup` how to find it, such as `. .venv/bin/activate`");
  }
}

void TargetQuestions::JudgeImage(const StageNeeds& needs, const TargetFacts& answers,
                                 PreflightFindings* findings) const {
  if (needs.container.is_null()) return;
  const Image image = ImageOf(needs);
  const int number = images_.at(image);
  const std::string answer = answers.Get(fmt::format("image_{}", number));
  const auto add = [&](Severity severity, const std::string& message, const std::string& hint) {
    findings->push_back({severity, needs.stage, needs.target, "", image.name, message, hint});
  };
  if (answer == "there") return;
  if (answer == "pullable") {
    add(Severity::kInfo, fmt::format("the image '{}' is not there yet; the job pulls it", image.name), "");
  } else if (answer == "absent") {
    const std::string said = Join(answers.All(fmt::format("image_says_{}", number)), " ");
    add(Severity::kError,
        fmt::format("the image '{}' is not there, and cannot be pulled: {}", image.name, TruncateUtf8(said, kMostSaid)),
        fmt::format("correct `image:`, or build, load or `{} pull` it there", image.engine.Name()));
  } else {
    add(Severity::kWarning,
        fmt::format("whether the image '{}' is there is not known: `{} version` fails", image.name,
                    image.engine.Name()),
        fmt::format("`cosmos-engine targets check {}` tells why", needs.target));
  }
}

std::string TargetQuestions::EntrypointOf(const StageNeeds& needs) {
  return ImageOf(needs).engine.Name() + "\n" + ImageOf(needs).name + "\n" + needs.container.value("entrypoint", "keep");
}

void TargetQuestions::JudgeEntrypoint(const StageNeeds& needs, const TargetFacts& answers,
                                      PreflightFindings* findings) const {
  if (needs.container.is_null()) return;
  const std::string key = fmt::format("entrypoint_{}", entrypoints_.at(EntrypointOf(needs)).second);
  const std::string problem = EntrypointProblem(needs.container, answers, key);
  if (problem.empty()) return;
  findings->push_back({answers.Get(key) == "slow" ? Severity::kWarning : Severity::kError, needs.stage, needs.target,
                       "", ImageOf(needs).name, problem, kEntrypointHint});
}

std::string TargetQuestions::GpuContainerKey(const Image& image) const {
  return fmt::format("gpu_container_{}", images_.at(image));
}

void TargetQuestions::JudgeGpuContainer(const StageNeeds& needs, const TargetFacts& answers,
                                        PreflightFindings* findings) const {
  if (needs.container.is_null() || !needs.gpus_asked) return;
  const Image image = ImageOf(needs);
  if (answers.Get(fmt::format("image_{}", images_.at(image))) == "absent") return;
  const GpuContainerVerdict verdict = cosmos::JudgeGpuContainer(needs.container, answers, GpuContainerKey(image));
  if (verdict.kind == GpuContainerVerdict::Kind::kGives) return;
  const bool fails = verdict.kind == GpuContainerVerdict::Kind::kFails;
  findings->push_back({fails ? Severity::kError : Severity::kWarning, needs.stage, needs.target, "", image.name,
                       verdict.message, verdict.hint});
}

PreflightFindings TargetQuestions::Judge(const StageNeeds& needs, const TargetFacts& answers) const {
  PreflightFindings findings;
  JudgeFiles(needs, answers, &findings);
  JudgeImage(needs, answers, &findings);
  JudgeEntrypoint(needs, answers, &findings);
  JudgeGpuContainer(needs, answers, &findings);
  const auto lines = DownloadLines(needs, workdir_);
  const int number = lines ? downloads_.at(*lines) : -1;
  for (PreflightFinding& finding : JudgeDownload(needs, answers, number)) findings.push_back(std::move(finding));
  const auto free = answers.Number("free");
  if (needs.disk_gb > 0 && free && *free < needs.disk_gb * 1e9) {
    findings.push_back(
        {Severity::kError, needs.stage, needs.target, "", workdir_,
         fmt::format("{:.1f} GB are free in '{}', expected at least {:g} GB", *free / 1e9, workdir_, needs.disk_gb),
         "`cosmos-engine gc` removes what runs left there; or choose a `workdir:` on another disk"});
  }
  return findings;
}

}  // namespace cosmos
