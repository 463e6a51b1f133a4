#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "cli/bar_condenser.h"
#include "cli/command.h"
#include "cli/from_here.h"
#include "cli/state_home.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "run/run_cancel.h"
#include "run/run_paths.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

namespace fs = std::filesystem;

constexpr auto kFollowInterval = std::chrono::milliseconds(100);
constexpr auto kBarInterval = std::chrono::seconds(1);
constexpr std::size_t kPiece = 1 << 18;

std::string KeyOf(const StageRecord& stage) {
  const std::string key = StageKey(stage);
  return stage.attempt == 1 ? key : fmt::format("{} (attempt {})", key, stage.attempt);
}

// The logs of a run that were asked for, in the order in which their stages began.
std::vector<StageRecord> LogsOf(const RunRecord& run, const std::string& wanted, RunStore* store) {
  std::vector<StageRecord> logs = store->StagesOf(run.run_id);
  if (!wanted.empty()) {
    std::vector<std::string> names;
    for (const StageRecord& stage : logs) {
      for (const std::string& name : {stage.stage, StageKey(stage)}) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
    std::erase_if(logs, [&](const StageRecord& stage) {
      return stage.stage != wanted && stage.stage + "." + stage.instance != wanted;
    });
    if (logs.empty()) {
      throw Error(ErrorCode::kNotFound, "the run has no stage '" + wanted + "' (yet)", Suggestion(wanted, names));
    }
  }
  std::erase_if(logs, [](const StageRecord& stage) { return stage.log_path.empty(); });
  const RunPaths paths(run.output_dir, run.run_id);
  for (const StageRecord& stage : logs) {
    if (paths.Holds(stage.log_path)) continue;
    throw Error(ErrorCode::kUnavailable,
                "the database has '" + stage.log_path + "' as the log of stage '" + StageKey(stage) +
                    "', expected a file below " + run.output_dir,
                "somebody edited it, or the folder was moved: `cosmos-engine db rebuild OUTPUT_DIR` corrects it");
  }
  return logs;
}

// While a job runs that several attempts share, the log of each is a link.
std::optional<Fd> OpenLog(const StageRecord& stage) {
  return OpenRegular(stage.log_path, O_RDONLY, kPrivate, Links::kFollow);
}

// Prints files with a head between different ones: as a terminal shows them in the end, with the last state of each
// progress bar, or `raw`, byte by byte.
class LogPrinter {
 public:
  LogPrinter(Console* console, bool with_heads, bool raw) : console_(console), with_heads_(with_heads), raw_(raw) {}

  // Leaves out all but the last `lines` of a log; nothing for a negative number.
  void Skip(const StageRecord& stage, int lines) {
    std::error_code error;
    const auto end = static_cast<std::int64_t>(fs::file_size(stage.log_path, error));
    if (lines < 0 || error) return;
    if (lines == 0) offsets_[stage.log_path] = end;
    const auto file = OpenLog(stage);
    if (!file) return;
    std::string buffer(kPiece, '\0');
    // Backwards by pieces; the newline at the very end ends the last line and does not begin one.
    for (std::int64_t at = end; at > 0 && lines > 0;) {
      const std::int64_t begin = std::max<std::int64_t>(0, at - static_cast<std::int64_t>(kPiece));
      const ssize_t n = ::pread(file->get(), buffer.data(), static_cast<std::size_t>(at - begin), begin);
      for (ssize_t i = n; i-- > 0;) {
        if (buffer[static_cast<std::size_t>(i)] != '\n' || begin + i + 1 == end || --lines > 0) continue;
        offsets_[stage.log_path] = begin + i + 1;
        return;
      }
      at = begin;
    }
  }

  // What has come to a log since the last call.
  void Print(const StageRecord& stage) {
    const auto file = OpenLog(stage);
    if (!file) return;
    std::int64_t& offset = offsets_[stage.log_path];
    std::string buffer(kPiece, '\0');
    for (;;) {
      const ssize_t n = ::pread(file->get(), buffer.data(), buffer.size(), offset);
      if (n <= 0) return;
      offset += n;
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
      if (raw_) {
        Put(stage, bytes);
      } else {
        Put(stage, condensers_[stage.log_path].Push(bytes));
      }
    }
  }

  // How the progress bars of a log are that go on, now and then.
  void PrintBars(const StageRecord& stage, SteadyTime now) {
    SteadyTime& last = last_bars_[stage.log_path];
    if (last != SteadyTime() && now - last < kBarInterval) return;
    const std::string bar = condensers_[stage.log_path].Latest();
    if (bar.empty()) return;
    last = now;
    Put(stage, bar);
    over_bar_ = console_->terminal();
  }

  // Nothing more comes to the log.
  void Finish(const StageRecord& stage) { Put(stage, condensers_[stage.log_path].Rest()); }

 private:
  void Put(const StageRecord& stage, std::string_view text) {
    if (text.empty()) return;
    if (std::exchange(over_bar_, false)) console_->PrintAt("\033[K", "");
    PrintHead(stage);
    if (raw_) {
      console_->PrintBytes(text);
    } else if (text.back() == '\r') {  // a bar, over which the next one is drawn
      console_->PrintBytes(console_->Cleaned(text.substr(0, text.size() - 1)) + "\r");
    } else {
      console_->Print(text);
    }
  }

  void PrintHead(const StageRecord& stage) {
    if (!with_heads_ || last_ == stage.log_path) return;
    if (!last_.empty()) console_->PrintLine("");
    console_->PrintLine(
        console_->Paint(Colour::kBold, "==> " + KeyOf(stage) + "  " + FromHere(stage.log_path) + " <=="));
    last_ = stage.log_path;
  }

  Console* const console_;
  const bool with_heads_;
  const bool raw_;
  std::string last_;
  bool over_bar_ = false;                        // the terminal's cursor stands at the beginning of a bar
  std::map<std::string, std::int64_t> offsets_;  // by the log's path, as what follows
  std::map<std::string, BarCondenser> condensers_;
  std::map<std::string, SteadyTime> last_bars_;
};

int Logs(const Arguments& arguments, Console* console) {
  const auto store = OpenStore(arguments);
  const RunRecord run = FindRun(arguments.Positional(0), store.get());
  const std::string wanted = arguments.Positional(1);
  const int lines = arguments.GetNumber("lines", 0, -1);
  const bool follow = arguments.Has("follow");
  if (console->json()) {
    nlohmann::json list = nlohmann::json::array();
    for (const StageRecord& stage : LogsOf(run, wanted, store.get())) {
      list.push_back({{"stage", stage.stage},
                      {"instance", stage.instance},
                      {"attempt", stage.attempt},
                      {"log_path", stage.log_path}});
    }
    console->PrintJson({{"run_id", run.run_id}, {"logs", list}});
    return kExitSucceeded;
  }
  const bool several = wanted.empty() || LogsOf(run, wanted, store.get()).size() > 1;  // instances or attempts
  LogPrinter printer(console, several, arguments.Has("raw"));
  std::map<std::string, bool> seen;
  for (;;) {
    const bool active = follow && IsActive(run);  // asked first: what comes before the end is printed
    for (const StageRecord& stage : LogsOf(run, wanted, store.get())) {
      if (!std::exchange(seen[stage.log_path], true)) printer.Skip(stage, lines);
      printer.Print(stage);
      if (active) {
        printer.PrintBars(stage, std::chrono::steady_clock::now());
      } else {
        printer.Finish(stage);
      }
    }
    if (!active || console->output_error() != 0) return kExitSucceeded;
    std::this_thread::sleep_for(kFollowInterval);
  }
}

}  // namespace

Command LogsCommand() {
  std::vector<OptionSpec> options = CommonOptions();
  options.push_back({"follow,f", "", "go on until the run has ended"});
  options.push_back({"lines,n", "N", "only the last N lines of each log"});
  options.push_back({"raw", "", "byte by byte, with every state of progress bars and escapes that a terminal obeys"});
  options.push_back(DbOption());
  return {"logs",
          "RUN_ID [STAGE] [-f] [-n N] [--raw] [options]",
          "Prints the logs of a run's stages.",
          "STAGE is a stage, or one instance of it such as render.2. Of a progress bar only the last state is shown, "
          "with -f "
          "one a second at most. With --format json: where the logs are.",
          options,
          {"RUN_ID", 1, 2},
          Logs};
}

}  // namespace cosmos
