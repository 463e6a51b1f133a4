#include "cli/prepare_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/progress_bar.h"
#include "cli/show_run.h"
#include "core/text.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

constexpr const char* kInputVideo = "color";  // what the models call their input video

// A text as YAML has it: plain where that is safe.
std::string YamlText(const std::string& text) {
  const bool plain = !text.empty() &&
                     text.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789/._-") == text.npos &&
                     text.front() != '-';
  return plain ? text : json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string StateText(const PreparedControl& control, bool dry) {
  switch (control.state) {
    case VideoState::kMade:
      return "made, " + FormatSize(control.video.size);
    case VideoState::kUnchanged:
      return "unchanged";
    case VideoState::kToMake:
      break;
  }
  return dry ? "to be made" : "not made";
}

std::string DepthText(const MadeVideo& video) {
  if (!video.depth) return "";
  return fmt::format(", depth {:g} to {:g}, {} is white", video.depth->near, video.depth->far,
                     video.depth_inverted ? "far" : "near");
}

// The lines of `with:` of a stage that takes the controls.
std::string WorkflowLines(const ShotPreparation& preparation) {
  std::string input, controls;
  for (const PreparedControl& control : preparation.controls()) {
    const std::string path = YamlText(preparation.VideoOf(control).string());
    if (control.frames.control == kInputVideo) {
      input = "input_video: " + path + "\n";
    } else {
      controls += "  " + control.frames.control + ": {video: " + path + "}\n";
    }
  }
  return input + (controls.empty() ? "" : "controls:\n" + controls);
}

}  // namespace

void PrepareProgress::Show(const std::string& control, const std::string& phase, std::int64_t done,
                           std::int64_t total) {
  if (total <= 0) return;
  if (lines_) {
    PrintLine(control, phase, done, total);
  } else {
    Draw(control, phase, done, total);
  }
}

void PrepareProgress::PrintLine(const std::string& control, const std::string& phase, std::int64_t done,
                                std::int64_t total) {
  const std::string step = fmt::format("{} {} {}", control, phase, 100 * done / total);
  if (step == printed_) return;
  printed_ = step;
  console_->PrintError(fmt::format("{}: {}, {} of {}", control, phase, done, Counted(total, "frame")));
}

void PrepareProgress::Draw(const std::string& control, const std::string& phase, std::int64_t done,
                           std::int64_t total) {
  const int width = console_->width();
  if (width == 0 || console_->json()) return;
  const std::string line = fmt::format("  {:<10} {}  {}", control,
                                       ProgressBar(static_cast<double>(done) / static_cast<double>(total)), phase);
  console_->PrintAt("\r\033[K", OneLine(line, static_cast<std::size_t>(width)));
  drawn_ = true;
}

void PrepareProgress::Erase() {
  if (drawn_) console_->PrintAt("\r\033[K", "");
  drawn_ = false;
}

void PrintShotFindings(const ShotFindings& findings, Console* console) {
  for (const ShotFinding& finding : findings) {
    const std::string kind =
        finding.error ? console->Paint(Colour::kRed, "error: ") : console->Paint(Colour::kYellow, "warning: ");
    console->PrintError(kind + ToText(finding));
  }
  const auto errors = std::count_if(findings.begin(), findings.end(), [](const ShotFinding& f) { return f.error; });
  if (errors > 0) {
    console->PrintError(Counted(errors, "problem") + " found; nothing was written");
  }
}

void PrintPrepared(const ShotPreparation& preparation, bool dry, Console* console) {
  std::vector<std::vector<std::string>> rows;
  for (const PreparedControl& control : preparation.controls()) {
    const MadeVideo& video = control.video;
    rows.push_back({control.frames.control, video.source,
                    fmt::format("{} ({})", video.numbers.Excerpt(), video.numbers.size()),
                    fmt::format("{}x{}", video.width, video.height), ToString(video.rate),
                    StateText(control, dry) + DepthText(video)});
  }
  console->PrintTable({"CONTROL", "FRAMES OF", "FRAMES", "SIZE", "FPS", "VIDEO"}, rows);
  console->Print("\n# for a workflow\n" + WorkflowLines(preparation));
}

json PreparedToJson(const ShotPreparation& preparation, bool dry) {
  json findings = json::array();
  for (const ShotFinding& finding : preparation.findings()) {
    findings.push_back({{"severity", finding.error ? "error" : "warning"},
                        {"control", finding.control.empty() ? json() : json(finding.control)},
                        {"message", finding.message},
                        {"hint", finding.hint}});
  }
  json input, controls = json::object(), videos = json::array();
  for (const PreparedControl& control : preparation.controls()) {
    const MadeVideo& video = control.video;
    const std::string path = preparation.VideoOf(control).string();
    const char* state = control.state == VideoState::kMade        ? "made"
                        : control.state == VideoState::kUnchanged ? "unchanged"
                                                                  : "to_make";
    videos.push_back({{"control", control.frames.control},
                      {"state", state},
                      {"source", video.source},
                      {"first_frame", video.numbers.first()},
                      {"last_frame", video.numbers.last()},
                      {"frames", video.numbers.size()},
                      {"frame_numbers", video.numbers.ToString()},
                      {"width", video.width},
                      {"height", video.height},
                      {"fps", ToString(video.rate)},
                      {"video", path}});
    if (control.frames.control == kInputVideo) {
      input = path;
    } else {
      controls[control.frames.control] = {{"video", path}};
    }
  }
  return {{"ok", !HasErrors(preparation.findings())},
          {"name", preparation.order().name},
          {"output", preparation.order().output.string()},
          {"dry_run", dry},
          {"findings", findings},
          {"videos", videos},
          {"input_video", input},
          {"controls", controls}};
}

}  // namespace cosmos
