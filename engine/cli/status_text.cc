#include "cli/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "cli/progress_bar.h"
#include "cli/show_run.h"
#include "core/clock.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr std::size_t kRunWidth = 11;
constexpr std::size_t kWidest = 200;  // of what a host says
constexpr double kOld = 5;            // seconds from which an age is told
constexpr int kBar = 10;

std::string Text(const json& value, const std::string& otherwise = "") {
  return value.is_string() ? value.get<std::string>() : otherwise;
}

std::string KeyOf(const json& of_stage) {
  const std::string stage = Text(of_stage["stage"], "?"), instance = Text(of_stage["instance"]);
  return instance.empty() ? stage : stage + "." + instance;
}

std::string RunOf(const json& value) { return Text(value["run_id"]).substr(0, kRunWidth); }

std::string Bar(double part) {
  const int full = static_cast<int>(std::lround(std::clamp(part, 0.0, 1.0) * kBar));
  std::string bar;
  for (int i = 0; i < kBar; ++i) bar += i < full ? "█" : "░";
  return bar;
}

std::string Gigabytes(const json& bytes) {
  return bytes.is_number() ? fmt::format("{:.1f}", bytes.get<double>() / 1e9) : "?";
}

// `GPU 0  NVIDIA H100  ███░░░░░░░  37 %  memory ░░░░░░░░░░ 1.1 of 85.5 GB  34 °C  71 W  render of rs_12345678`.
std::string GpuText(const json& gpu, const Console& console) {
  std::string text = fmt::format("  GPU {:<2} {:<22}", gpu["index"].get<int>(), Text(gpu["name"], "an unknown GPU"));
  if (const std::string fault = Text(gpu["fault"]); !fault.empty()) {
    return text + console.Paint(Colour::kRed, " does not work: " + OneLine(fault, kWidest)) + "\n";
  }
  if (gpu["utilization"].is_number()) {
    const double utilization = gpu["utilization"];
    text += fmt::format(" {} {:>5}", Bar(utilization), Percent(utilization));
  } else {
    text += fmt::format(" {:<{}}", gpu["mig"].get<bool>() ? "divided by MIG" : "utilisation ?", kBar + 6);
  }
  const json& used = gpu["memory_used"];
  const json& total = gpu["memory_total"];
  if (used.is_number() && total.is_number() && total > 0) {
    text += fmt::format("  memory {} {} of {} GB", Bar(used.get<double>() / total.get<double>()), Gigabytes(used),
                        Gigabytes(total));
  } else if (used.is_number()) {
    text += "  memory " + Gigabytes(used) + " GB";
  } else {
    text += "  memory ?";
  }
  if (gpu["temperature"].is_number()) text += fmt::format("  {:.0f} °C", gpu["temperature"].get<double>());
  if (gpu["power"].is_number()) text += fmt::format("  {:.0f} W", gpu["power"].get<double>());
  const json& holder = gpu["holder"];
  text += holder.is_null() ? "" : console.Paint(Colour::kBlue, fmt::format("  {} of {}", KeyOf(holder), RunOf(holder)));
  text += "\n";
  for (const json& device : gpu["mig_devices"]) {
    text += fmt::format("    MIG {:<10} {}\n", Text(device["profile"]), Text(device["uuid"]));
  }
  return text;
}

std::string Ago(const json& age) {
  return FormatDuration(std::chrono::milliseconds(std::lround(age.get<double>() * 1000)));
}

std::string HeadOf(const json& target, const Console& console) {
  std::string text =
      console.Paint(Colour::kBold, Text(target["name"])) + "  " + Text(target["host"], "this machine") + "  ";
  const bool reachable = target["reachable"];
  text += reachable ? console.Paint(Colour::kGreen, "reachable") : console.Paint(Colour::kRed, "no answer");
  if (const std::string driver = Text(target["driver"]); !driver.empty()) text += "  driver " + driver;
  if (target["age"].is_number() && (!reachable || target["age"] > kOld)) {
    text += console.Paint(Colour::kYellow, "  as it was " + Ago(target["age"]) + " ago");
  }
  text += "\n";
  if (const std::string problem = Text(target["problem"]); !problem.empty()) {
    text += "  " + console.Paint(Colour::kYellow, OneLine(problem, kWidest)) + "\n";
  }
  return text;
}

std::string TargetText(const json& target, const Console& console) {
  std::string text = HeadOf(target, console);
  if (const std::string problem = Text(target["gpu_problem"]); !problem.empty()) {
    text += "  " + console.Paint(Colour::kYellow, OneLine(problem, kWidest)) + "\n";
  }
  for (const json& gpu : target["gpus"]) text += GpuText(gpu, console);
  for (const json& container : target["containers"]) {
    text += fmt::format("  container  {}  {}  {} of {}{}\n", OneLine(Text(container["name"]), kWidest),
                        container["running"].get<bool>() ? console.Paint(Colour::kBlue, "running") : "ended",
                        KeyOf(container), RunOf(container),
                        container["state"] == "orphan" ? console.Paint(Colour::kYellow, "  (orphan)") : "");
  }
  for (const json& job : target["jobs"]) {
    const bool missing = job["found"].is_boolean() && !job["found"].get<bool>();
    text += fmt::format("  job        {} of {}, since {}{}\n", KeyOf(job), RunOf(job), Text(job["since"], "?"),
                        missing ? console.Paint(Colour::kYellow, "  (not there any more)") : "");
  }
  return text;
}

std::string StageText(const json& stage) {
  const std::string progress = ProgressText(stage["progress"], true);
  return fmt::format("    {:<20} {} on {}{}\n", KeyOf(stage), Text(stage["status"]), Text(stage["target"]),
                     progress.empty() ? "" : "  " + OneLine(progress, kWidest));
}

std::string RunText(const json& run, const Console& console) {
  const std::string state = Text(run["state"]);
  std::string text = fmt::format("  {}  {}  {}  since {}\n", RunOf(run), Text(run["workflow"]),
                                 console.PaintStatus(state), Text(run["started_at"], "?"));
  for (const json& stage : run["stages"]) text += StageText(stage);
  for (const json& queued : run["queued"]) {
    text += fmt::format("    {:<20} queued: {}\n", KeyOf(queued), OneLine(Text(queued["reason"]), kWidest));
  }
  for (const json& lost : run["lost_connections"]) {
    text += "    " + console.Paint(Colour::kYellow, "lost " + LostConnectionText(lost)) + "\n";
  }
  if (state == "zombie") {
    text += "    its engine and its jobs are gone: `cosmos-engine resume` goes on with it, `cancel` ends it\n";
  } else if (state == "interrupted") {
    text += "    its engine is gone: `cosmos-engine resume` goes on with it, `cancel` ends it\n";
  }
  return text;
}

}  // namespace

std::string StatusText(const json& report, const Console& console) {
  std::string text;
  for (const json& target : report["targets"]) text += TargetText(target, console);
  text += console.Paint(Colour::kBold, "\nruns") + (report["runs"].empty() ? "  none\n" : "\n");
  for (const json& run : report["runs"]) text += RunText(run, console);
  if (report["orphans"].empty()) return text;
  text +=
      console.Paint(Colour::kBold, "\norphans") + "  what runs that have ended left; `cosmos-engine gc` removes it\n";
  for (const json& orphan : report["orphans"]) {
    text += fmt::format("  {}: {} of {}: {}\n", Text(orphan["target"]), Text(orphan["kind"]), RunOf(orphan),
                        OneLine(Text(orphan["name"]), kWidest));
  }
  return text;
}

}  // namespace cosmos
