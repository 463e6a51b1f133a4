#include <algorithm>

#include "cli/command.h"
#include "cli/local_time.h"
#include "cli/state_home.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/status.h"
#include "core/text.h"
#include "run/run_report.h"

namespace cosmos {
namespace {

constexpr int kDefaultLimit = 20;

std::string DurationOf(const RunRecord& run) {
  if (run.ended_at == 0) return "-";
  return FormatDuration(std::chrono::milliseconds(std::max<std::int64_t>(0, run.ended_at - run.LatestStart())));
}

constexpr char kInterrupted[] = "interrupted";  // as people are told; the store has it as running

void CheckStatus(const std::string& word) {
  std::vector<std::string> known = {kInterrupted};
  if (word == kInterrupted) return;
  for (const Status status : {Status::kRunning, Status::kSucceeded, Status::kFailed, Status::kCancelled}) {
    known.emplace_back(ToString(status));
    if (known.back() == word) return;
  }
  throw Error(ErrorCode::kInvalidInput, "found '" + word + "' after --status", Suggestion(word, known));
}

int Runs(const Arguments& arguments, Console* console) {
  RunQuery query;
  const std::string status = arguments.Get("status");
  if (!status.empty()) CheckStatus(status);
  const bool by_engine = status == kInterrupted || status == ToString(Status::kRunning);
  query.status = by_engine ? ToString(Status::kRunning) : status;
  query.workflow = arguments.Get("workflow");
  query.search = arguments.Get("search");
  const int limit = arguments.GetNumber("limit", 1, kDefaultLimit);
  query.limit = by_engine ? 0 : limit;
  std::vector<RunRecord> runs = OpenStore(arguments)->FindRuns(query);
  if (by_engine) {
    std::erase_if(runs, [&](const RunRecord& run) { return StatusForPeople(run) != status; });
    runs.resize(std::min(runs.size(), static_cast<std::size_t>(limit)));
  }
  if (console->json()) {
    nlohmann::json list = nlohmann::json::array();
    for (const RunRecord& run : runs) list.push_back(RunToJson(run));
    console->PrintJson({{"runs", list}});
    return kExitSucceeded;
  }
  if (runs.empty()) {
    console->PrintLine("no runs");
    return kExitSucceeded;
  }
  std::vector<std::vector<std::string>> rows;
  for (const RunRecord& run : runs) {
    rows.push_back({run.run_id, run.workflow, StatusForPeople(run), LocalTime(run.started_at), DurationOf(run),
                    OneLine(run.error_message, 100)});
  }
  console->PrintTable({"RUN", "WORKFLOW", "STATUS", "STARTED", "TOOK", "ERROR"}, rows);
  return kExitSucceeded;
}

}  // namespace

Command RunsCommand() {
  std::vector<OptionSpec> options = CommonOptions();
  options.push_back({"status", "STATUS", "only running, interrupted, succeeded, failed or cancelled runs"});
  options.push_back({"workflow", "NAME", "only runs of this workflow"});
  options.push_back({"search", "TEXT", "only runs with this text in run_id, workflow, prompt or error"});
  options.push_back({"limit", "N", "list at most N runs (default: 20)"});
  options.push_back(DbOption());
  return {"runs", "[options]", "Lists runs, the newest first.", "", options, {"", 0, 0}, Runs};
}

}  // namespace cosmos
