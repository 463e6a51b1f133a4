#include "cli/command.h"
#include "cli/show_run.h"
#include "cli/state_home.h"

namespace cosmos {
namespace {

int Show(const Arguments& arguments, Console* console) {
  const auto store = OpenStore(arguments);
  ShowRun(FindRun(arguments.Positional(0), store.get()), store.get(), console);
  return kExitSucceeded;
}

}  // namespace

Command ShowCommand() {
  std::vector<OptionSpec> options = CommonOptions();
  options.push_back(DbOption());
  return {"show",
          "RUN_ID [options]",
          "Tells all about one run: its stages, logs and outputs.",
          "RUN_ID may be cut to a unique beginning, or be `last`.",
          options,
          {"RUN_ID", 1, 1},
          Show};
}

}  // namespace cosmos
