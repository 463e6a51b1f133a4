#include "cli/command.h"
#include "cli/state_home.h"
#include "run/run_cancel.h"

namespace cosmos {
namespace {

const char* Words(CancelOutcome outcome) {
  switch (outcome) {
    case CancelOutcome::kAsked:
      return "asked";
    case CancelOutcome::kCancelled:
      return "cancelled";
    case CancelOutcome::kEnded:
      return "ended";
  }
  return "";
}

int Cancel(const Arguments& arguments, Console* console) {
  const auto store = OpenStore(arguments);
  const RunRecord run = FindRun(arguments.Positional(0), store.get());
  SystemClock clock;
  const CancelOutcome outcome = CancelRun(run.run_id, store.get(), &clock);
  if (console->json()) {
    console->PrintJson({{"run_id", run.run_id}, {"outcome", Words(outcome)}});
  } else if (outcome == CancelOutcome::kAsked) {
    console->PrintLine("run " + run.run_id + ": its engine was told to end it in order");
  } else if (outcome == CancelOutcome::kCancelled) {
    console->PrintLine("run " + run.run_id + " cancelled; its engine was gone, and its jobs were ended");
  } else {
    console->PrintLine("run " + run.run_id + " had already ended: " + run.status);
  }
  return kExitSucceeded;
}

}  // namespace

Command CancelCommand() {
  std::vector<OptionSpec> options = CommonOptions();
  options.push_back(DbOption());
  return {"cancel",
          "RUN_ID [options]",
          "Ends a run from any terminal, also one whose engine is gone.",
          "A run with an engine is ended by it: its jobs get TERM, after 10 s KILL, and it is recorded as cancelled.\n"
          "With --format json: {\"run_id\", \"outcome\": \"asked\" | \"cancelled\" | \"ended\"}.",
          options,
          {"RUN_ID", 1, 1},
          Cancel};
}

}  // namespace cosmos
