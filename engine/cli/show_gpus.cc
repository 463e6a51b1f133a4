#include "cli/show_gpus.h"

#include <fmt/format.h>

#include "cli/gpu_plot.h"
#include "core/error.h"
#include "core/files.h"
#include "run/run_paths.h"
#include "run/run_report.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

constexpr int kWidthWithoutTerminal = 100;

std::string Gigabytes(std::int64_t bytes) { return fmt::format("{:.1f}", static_cast<double>(bytes) / 1e9); }

// `65.4 of 85.5 GB at most, 87 % busy (at most 100 %), 0.421 kWh`; what was not told is left out.
std::string UsageText(const GpuUsageRecord& usage) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (usage.peak_memory >= 0) {
    add(usage.memory_total > 0
            ? fmt::format("{} of {} GB at most", Gigabytes(usage.peak_memory), Gigabytes(usage.memory_total))
            : Gigabytes(usage.peak_memory) + " GB at most");
  }
  if (usage.mean_utilization >= 0) {
    add(fmt::format("{:.0f} % busy (at most {:.0f} %)", 100 * usage.mean_utilization, 100 * usage.peak_utilization));
  }
  if (usage.energy >= 0) add(fmt::format("{:.3g} kWh", usage.energy / 3.6e6));
  return text;
}

std::string TitleOf(const StageRecord& stage) {
  const std::string key = StageKey(stage);
  return stage.attempt > 1 ? fmt::format("{} (attempt {})", key, stage.attempt) : key;
}

}  // namespace

std::string GpuUsageText(const StageRecord& stage, const std::vector<GpuUsageRecord>& usages) {
  std::string text;
  for (const GpuUsageRecord& usage : usages) {
    if (!AreOfOneAttempt(usage, stage)) continue;
    text += fmt::format("  {:<10}{}: {}\n", fmt::format("gpu {}", usage.gpu),
                        usage.name.empty() ? "an unknown GPU" : usage.name, UsageText(usage));
  }
  if (text.empty()) return "";
  return text + fmt::format("  {:<10}{:.0f} GPU-seconds\n", "gpu time", GpuSeconds(stage, usages));
}

void PlotGpus(const RunRecord& run, RunStore* store, const std::string& svg, Console* console) {
  const RunPaths paths(run.output_dir, run.run_id);
  std::vector<GpuPlot> plots;
  for (const StageRecord& stage : store->StagesOf(run.run_id)) {
    GpuPlot plot{TitleOf(stage), GpuSeries::Load(paths.GpuSeries(AttemptOf(stage)))};
    if (!plot.samples.empty()) plots.push_back(std::move(plot));
  }
  if (plots.empty()) {
    throw Error(ErrorCode::kNotFound, "no GPUs were watched in run " + run.run_id,
                "add `hooks: {gpu-monitor: {}}` to its workflow, and run it on a target with GPUs");
  }
  if (!svg.empty()) {
    WriteFileAtomically(svg, PlotsAsSvg(plots), kShared);
    console->PrintLine("wrote " + svg);
    return;
  }
  const int width = console->width() > 0 ? console->width() : kWidthWithoutTerminal;
  for (const GpuPlot& plot : plots) console->Print(PlotAsText(plot, width));
}

}  // namespace cosmos
