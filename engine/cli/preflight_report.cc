#include "cli/preflight_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/json_values.h"
#include "core/text.h"
#include "run/targets/target_contact.h"

namespace cosmos {
namespace {

using nlohmann::json;
using Severity = PreflightFinding::Severity;

void Append(PreflightFindings more, PreflightFindings* findings) {
  std::move(more.begin(), more.end(), std::back_inserter(*findings));
}

std::string ToText(const PreflightFinding& finding) {
  std::string text = "stage '" + finding.stage + "'";
  if (!finding.target.empty()) text += " on '" + finding.target + "'";
  text += ": " + finding.message;
  return finding.hint.empty() ? text : text + "; " + finding.hint;
}

Colour ColourOf(Severity severity) {
  if (severity == Severity::kError) return Colour::kRed;
  return severity == Severity::kWarning ? Colour::kYellow : Colour::kGrey;
}

std::string Count(const PreflightFindings& findings) {
  const auto errors = std::count_if(findings.begin(), findings.end(), [](const PreflightFinding& finding) {
    return finding.severity == Severity::kError;
  });
  return Counted(errors, "problem") + " found; nothing was executed";
}

PeakMemory PeakMemoryIn(RunStore* store) {
  return [store](const std::string& key) {
    std::int64_t peak = 0;
    for (const TimingsRecord& job : store->TimingsOf(key, RunStore::kMostTimings))
      peak = std::max(peak, job.gpu_memory);
    return peak;
  };
}

}  // namespace

PreflightReport CheckPreflight(const RunOrder& order, const Catalogue& plugins, RunStore* store) {
  const Preflight preflight(order.plan, plugins, order.output_dir);
  const CancelToken cancel;
  PreflightReport report{preflight.LookHere(cancel), {}};
  for (const std::string& name : preflight.Targets()) {
    try {
      const TargetContact target(order.plan.targets.at(name));
      target.Reach();
      Append(preflight.LookAt(name, target.get(), PeakMemoryIn(store), cancel), &report.findings);
    } catch (const Error& error) {
      report.unreachable[name] = error.message() + (error.hint().empty() ? "" : "; " + error.hint());
    }
  }
  return report;
}

json ToJson(const PreflightReport& report) {
  json findings = json::array(), unreachable = json::array();
  for (const PreflightFinding& finding : report.findings) {
    findings.push_back({{"severity", ToString(finding.severity)},
                        {"stage", finding.stage},
                        {"target", TextOrNull(finding.target)},
                        {"parameter", TextOrNull(finding.parameter)},
                        {"file", TextOrNull(finding.file)},
                        {"message", finding.message},
                        {"hint", TextOrNull(finding.hint)}});
  }
  for (const auto& [target, message] : report.unreachable) {
    unreachable.push_back({{"target", target}, {"message", message}});
  }
  return {{"ok", !HasErrors(report.findings) && report.unreachable.empty()},
          {"findings", findings},
          {"unreachable", unreachable}};
}

void PrintPreflight(const PreflightReport& report, Console* console) {
  console->PrintLine("\npre-flight");
  const auto print = [&](Severity severity, const std::string& text) {
    console->PrintLine("  " + console->Paint(ColourOf(severity), fmt::format("{:<8}", ToString(severity))) + text);
  };
  for (const PreflightFinding& finding : report.findings) print(finding.severity, ToText(finding));
  for (const auto& [target, message] : report.unreachable)
    print(Severity::kError, "target '" + target + "': " + message);
  if (HasErrors(report.findings)) {
    console->PrintLine(Count(report.findings));
  } else if (report.unreachable.empty()) {
    console->PrintLine("what the stages need is there, as far as it can be told");
  }
}

std::function<void(const std::map<std::string, Target*>&, const CancelToken&)> PreflightOf(const RunOrder& order,
                                                                                           const Catalogue& plugins,
                                                                                           RunStore* store,
                                                                                           Console* console) {
  Preflight preflight(order.plan, plugins, order.output_dir);
  if (preflight.empty()) return {};
  return [preflight = std::move(preflight), store, console](const std::map<std::string, Target*>& targets,
                                                            const CancelToken& cancel) {
    PreflightFindings findings = preflight.LookHere(cancel);
    if (cancel.cancelled()) return;  // the run itself sees to that
    for (const std::string& name : preflight.Targets())
      Append(preflight.LookAt(name, targets.at(name), PeakMemoryIn(store), cancel), &findings);
    for (const PreflightFinding& finding : findings) {
      if (finding.severity == Severity::kInfo) continue;
      console->PrintError(std::string(ToString(finding.severity)) + ": " + ToText(finding));
    }
    if (!HasErrors(findings)) return;
    throw Error(ErrorCode::kInvalidInput, Count(findings), "`--no-preflight` runs all the same");
  };
}

}  // namespace cosmos
