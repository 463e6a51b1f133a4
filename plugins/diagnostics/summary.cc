#include "diagnostics/summary.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string_view>

#include "diagnostics/causes.h"
#include "diagnostics/redaction.h"

namespace cosmos::plugins {
namespace {

constexpr std::size_t kLogLines = 15;
constexpr std::size_t kWidestLine = 300;
constexpr std::size_t kMostFailed = 200;  // stages that are listed
constexpr std::size_t kMostNames = 12;    // of stages with the same cause

// On one line, so that it stays within its place in the page.
std::string Inline(const std::string& text) {
  std::string line = AsText(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::string Took(const std::string& begin, const std::string& end) {
  struct tm from {
  }, to{};
  if (::strptime(begin.c_str(), "%Y-%m-%dT%H:%M:%S", &from) == nullptr) return "";
  if (::strptime(end.c_str(), "%Y-%m-%dT%H:%M:%S", &to) == nullptr) return "";
  const long seconds = static_cast<long>(::timegm(&to) - ::timegm(&from));
  char text[64];
  if (seconds < 60) {
    std::snprintf(text, sizeof text, ", after %ld s", seconds);
  } else if (seconds < 3600) {
    std::snprintf(text, sizeof text, ", after %ld min %02ld s", seconds / 60, seconds % 60);
  } else {
    std::snprintf(text, sizeof text, ", after %ld h %02ld min", seconds / 3600, seconds / 60 % 60);
  }
  return text;
}

std::string Heading(const RunFacts& run) {
  if (run.interrupted) return "Run " + run.run_id + " was interrupted";
  if (run.status == "failed") return "Run " + run.run_id + " failed" + (run.kind.empty() ? "" : ": " + run.kind);
  return "Run " + run.run_id + " is " + (run.status.empty() ? "not known" : run.status);
}

// The stage's share of a message that repeats its name.
std::string StageText(const StageFacts& stage) {
  std::string text = "- stage `" + stage.key + "`";
  if (stage.attempt > 1) text += ", attempt " + std::to_string(stage.attempt);
  text += " (" + stage.uses + " on `" + stage.target + "`) " + stage.status;
  if (!stage.kind.empty()) text += ": **" + stage.kind + "**";
  text += "\n";
  if (!stage.started_at.empty()) {
    text += "  began " + stage.started_at;
    if (!stage.ended_at.empty()) text += ", ended " + stage.ended_at + Took(stage.started_at, stage.ended_at);
    text += "\n";
  }
  if (!stage.phase.empty()) text += "  was at: " + Inline(stage.phase) + "\n";
  if (!stage.message.empty()) text += "\n  > " + Inline(stage.message) + "\n";
  return text;
}

std::string WhatFailed(const RunFacts& run) {
  std::string text = "## What failed\n\n";
  if (!run.message.empty()) text += "> " + Inline(run.message) + "\n\n";
  for (const StageFacts& stage : run.suspects) {
    StageFacts told = stage;
    if (told.message == run.message) told.message.clear();
    text += StageText(told);
  }
  if (run.suspects.empty()) text += "No stage has failed or is at work.\n";
  for (std::size_t i = run.suspects.size(); i < run.failed.size(); ++i) {
    if (i == kMostFailed) {
      text += "- and " + std::to_string(run.failed.size() - i) + " more; see run.json\n";
      break;
    }
    const StageFacts& stage = run.failed[i];
    text += "- stage `" + stage.key + "` on `" + stage.target + "` failed: **" + stage.kind +
            "**: " + Inline(stage.message.substr(0, kWidestLine)) + "\n";
  }
  text += "\nThe run began " + run.started_at;
  if (!run.ended_at.empty()) text += " and ended " + run.ended_at + Took(run.started_at, run.ended_at);
  return text + ".\n";
}

std::string List(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "- " + Inline(line) + "\n";
  return text;
}

// The last lines of a stage's log, as far as it was collected.
std::vector<std::string> LogEnd(const std::string& stage, const std::vector<Item>& items) {
  const std::string name = "log " + stage;
  const auto item = std::find_if(items.begin(), items.end(), [&](const Item& one) { return one.name == name; });
  if (item == items.end()) return {};
  std::vector<std::string> lines;
  std::istringstream stream(item->text);
  for (std::string line; std::getline(stream, line);) {
    if (line.size() > kWidestLine) line = AsText(line.substr(0, kWidestLine)) + "…";
    lines.push_back(line);
  }
  if (lines.size() > kLogLines) lines.erase(lines.begin(), lines.end() - kLogLines);
  return lines;
}

std::string LogEndText(const std::string& stage, const std::vector<Item>& items) {
  std::string text;
  for (const std::string& line : LogEnd(stage, items)) text += line + "\n";
  return text;
}

// A few lines to see at once; fenced so that nothing in them is taken for Markdown.
std::string EndOfLog(const RunFacts& run, const std::vector<Item>& items) {
  if (run.suspects.empty()) return "";
  std::string end = LogEndText(run.suspects[0].key, items);
  if (end.empty()) return "";
  for (std::size_t at = end.find("````"); at != end.npos; at = end.find("````")) end.replace(at, 4, "'");
  return "## The end of the log of `" + run.suspects[0].key + "`\n\n````\n" + end + "````\n\n";
}

// One cause for each failed stage; those of the same one together.
std::string Causes(const RunFacts& run, const std::vector<Item>& items) {
  struct Group {
    Cause cause;
    std::string kind;
    std::vector<std::string> stages;
  };
  std::vector<Group> groups;
  for (const StageFacts& stage : run.failed) {
    const Cause cause = CauseOf(stage.kind, run, stage, LogEndText(stage.key, items));
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
      return group.cause.cause == cause.cause && group.kind == stage.kind;
    });
    if (same == groups.end()) {
      groups.push_back({cause, stage.kind, {stage.key}});
    } else {
      same->stages.push_back(stage.key);
    }
  }
  std::string text;
  for (const Group& group : groups) {
    text += "### ";
    for (std::size_t i = 0; i < std::min(group.stages.size(), kMostNames); ++i) {
      text += (i == 0 ? "`" : ", `") + group.stages[i] + "`";
    }
    if (group.stages.size() > kMostNames) text += " and " + std::to_string(group.stages.size() - kMostNames) + " more";
    text += ": " + group.kind + "\n\n" + group.cause.cause + "\n\n" + List(group.cause.try_this) + "\n";
  }
  return text;
}

std::string WhyAndWhatToTry(const RunFacts& run, const std::vector<Item>& items,
                            const std::vector<std::string>& evidence) {
  const std::string found = evidence.empty() ? "Nothing that was collected points to more than that.\n"
                                             : "What was found that may have to do with it:\n\n" + List(evidence);
  if (run.interrupted && run.failed.empty()) {
    const Cause cause = CauseOfInterruption(run, run.suspects.empty() ? StageFacts() : run.suspects[0]);
    return "## Likely cause\n\n" + cause.cause + "\n\n" + found + "\n## What to try\n\n" + List(cause.try_this);
  }
  if (run.failed.size() > 1) return "## Likely causes, and what to try\n\n" + Causes(run, items) + found;
  const std::string kind = run.suspects.empty() || run.suspects[0].kind.empty() ? run.kind : run.suspects[0].kind;
  std::string text;
  if (!kind.empty()) {
    const StageFacts stage = run.suspects.empty() ? StageFacts() : run.suspects[0];
    const Cause cause = CauseOf(kind, run, stage, LogEndText(stage.key, items));
    text = "## Likely cause\n\n" + cause.cause + "\n\n";
    return text + found + "\n## What to try\n\n" + List(cause.try_this);
  }
  text = "## What was found\n\n";
  return text + (evidence.empty() ? "Nothing that was collected points to trouble.\n" : List(evidence));
}

// The names of items begin with what they are, and go on with the stage that they are about.
struct Title {
  std::string_view name;
  std::string_view text;
};
constexpr Title kTitles[] = {
    {"run", "the run's record: stages, attempts, outputs"},
    {"workflow", "the workflow as it was run"},
    {"parameters", "its resolved parameters"},
    {"versions", "versions of what was at work"},
    {"commands", "the latest commands to the run's targets, with what they came to"},
    {"engine log", "the end of the engine's own log of the run"},
    {"log", "the end of the log"},
    {"job folder", "what is in the job's folder"},
    {"job environment", "the variables that the job was given"},
    {"system", "load, memory, processes, disks"},
    {"kernel", "messages of the kernel about memory, GPUs and disks"},
    {"gpu", "GPUs and what uses them"},
    {"environment", "variables of a command there"},
    {"containers", "the run's containers that are still there"},
    {"container", "the state of the container"},
    {"container log", "the end of the container's own log"},
};

std::string About(const Item& item) {
  const Title* best = nullptr;
  for (const Title& title : kTitles) {
    const bool fits = item.name.rfind(title.name, 0) == 0 &&
                      (item.name.size() == title.name.size() || item.name[title.name.size()] == ' ');
    if (fits && (best == nullptr || best->name.size() < title.name.size())) best = &title;
  }
  if (best == nullptr) return item.name;
  std::string place = item.name.substr(best->name.size());
  if (!place.empty()) place = "stage `" + place.substr(1) + "`";
  if (!item.target.empty()) place += (place.empty() ? "" : ", ") + ("target `" + item.target + "`");
  return std::string(best->text) + (place.empty() ? "" : " (" + place + ")");
}

std::string Files(const std::vector<Item>& items, const std::vector<std::string>& kept) {
  std::string there, missing;
  for (const Item& item : items) {
    if (!item.file.empty()) {
      there += "- [" + item.file + "](" + item.file + "): " + About(item) +
               (item.status == Item::Status::kFailed ? " (not all of it)" : "") + "\n";
    }
    if (item.status == Item::Status::kCollected) continue;
    missing += "- " + About(item) + (item.status == Item::Status::kFailed ? ": failed: " : ": skipped: ") +
               Inline(item.reason) + "\n";
  }
  for (const std::string& file : kept) there += "- [" + file + "](" + file + "): kept when the job failed\n";
  std::string text = "## Files\n\n" + there + "- [manifest.json](manifest.json): all of this, for programs\n";
  if (!missing.empty()) text += "\n## What could not be collected\n\n" + missing;
  return text;
}

}  // namespace

std::string SummaryOf(const RunFacts& run, const std::vector<Item>& items, const std::vector<std::string>& evidence,
                      const std::vector<std::string>& kept) {
  return "# " + Heading(run) + "\n\n" + WhatFailed(run) + "\n" + WhyAndWhatToTry(run, items, evidence) + "\n" +
         EndOfLog(run, items) + Files(items, kept);
}

}  // namespace cosmos::plugins
