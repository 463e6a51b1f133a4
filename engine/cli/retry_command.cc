#include "cli/carry_out.h"
#include "cli/command.h"
#include "cli/state_home.h"
#include "core/error.h"
#include "core/status.h"
#include "run/run_cancel.h"

namespace cosmos {
namespace {

int Retry(const Arguments& arguments, Console* console) {
  const auto store = OpenStore(arguments);
  const RunRecord run = FindRun(arguments.Positional(0), store.get());
  if (IsActive(run)) {
    throw Error(ErrorCode::kConflict, "the run " + run.run_id + " is being carried out by an engine",
                "follow it with `cosmos-engine logs -f " + run.run_id + "`, or end it with `cosmos-engine cancel " +
                    run.run_id + "`");
  }
  if (!IsEnd(StatusOf(run.status))) {
    throw Error(ErrorCode::kConflict, "the run " + run.run_id + " has not ended",
                "go on with it: `cosmos-engine resume " + run.run_id + "`");
  }
  if (run.status == ToString(Status::kSucceeded) && !arguments.Has("from") && !arguments.Has("file")) {
    throw Error(ErrorCode::kInvalidInput, "the run " + run.run_id + " has succeeded: there is nothing to try again",
                "`--from STAGE` repeats a stage and what needs it, `--file WORKFLOW` what was changed in the file");
  }
  return CarryOn(RunOrder::Mode::kRetry, arguments.Get("from"), arguments.Get("file"), run, store.get(), arguments,
                 console);
}

}  // namespace

Command RetryCommand() {
  std::vector<OptionSpec> options = {
      {"from", "STAGE", "repeat this stage too, and all that needs it"},
      {"file", "WORKFLOW", "take this text of the workflow; repeats what was changed, and all that needs it"}};
  options.push_back({"jobs,j", "N", "at most so many stages at once (default: as before)"});
  for (const auto& more : {CarryOutOptions(), CommonOptions()}) options.insert(options.end(), more.begin(), more.end());
  options.push_back(DbOption());
  options.push_back(PluginPathOption());
  return {"retry",
          "RUN_ID [--from STAGE] [--file WORKFLOW] [options]",
          "Tries again what did not succeed in a run that has ended.",
          "What succeeded is kept. Each stage that is tried again gets a new attempt, with a log of its own. The run\n"
          "keeps the text of its workflow and its params; --file takes an edited one, and keeps what succeeded where\n"
          "its definition is the same.",
          options,
          {"RUN_ID", 1, 1},
          Retry};
}

}  // namespace cosmos
