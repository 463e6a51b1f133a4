#include "cli/carry_out.h"
#include "cli/command.h"
#include "cli/state_home.h"
#include "core/error.h"
#include "core/status.h"

namespace cosmos {
namespace {

int Resume(const Arguments& arguments, Console* console) {
  const auto store = OpenStore(arguments);
  const RunRecord run = FindRun(arguments.Positional(0), store.get());
  if (IsEnd(StatusOf(run.status))) {
    throw Error(ErrorCode::kInvalidInput, "the run " + run.run_id + " has ended: " + run.status,
                "`cosmos-engine retry " + run.run_id + "` tries again what did not succeed");
  }
  return CarryOn(RunOrder::Mode::kResume, "", "", run, store.get(), arguments, console);
}

}  // namespace

Command ResumeCommand() {
  std::vector<OptionSpec> options = CarryOutOptions();
  options.push_back({"jobs,j", "N", "at most so many stages at once (default: as before)"});
  for (const OptionSpec& option : CommonOptions()) options.push_back(option);
  options.push_back(DbOption());
  options.push_back(PluginPathOption());
  return {"resume",
          "RUN_ID [options]",
          "Goes on with a run whose engine is gone.",
          "Jobs that still run are attached to, what finished meanwhile is collected, nothing is run twice.",
          options,
          {"RUN_ID", 1, 1},
          Resume};
}

}  // namespace cosmos
