#include "cli/command.h"
#include "cli/show_gpus.h"
#include "cli/show_run.h"
#include "cli/state_home.h"
#include "core/error.h"

namespace cosmos {
namespace {

bool IsSvg(const std::string& word) { return word.size() > 4 && word.compare(word.size() - 4, 4, ".svg") == 0; }

// `RUN_ID`, or with --plot also a file, whichever comes first.
std::pair<std::string, std::string> RunAndFile(const Arguments& arguments) {
  std::string run = arguments.Positional(0), file = arguments.Positional(1);
  if (IsSvg(run) && !IsSvg(file)) std::swap(run, file);
  if (file.empty() || (arguments.Has("plot") && IsSvg(file))) return {run, file};
  throw Error(ErrorCode::kInvalidInput, "found '" + file + "', which is one argument too many",
              "expected RUN_ID, or RUN_ID --plot FILE.svg");
}

int Show(const Arguments& arguments, Console* console) {
  const auto [word, file] = RunAndFile(arguments);
  const auto store = OpenStore(arguments);
  const RunRecord run = FindRun(word, store.get());
  if (arguments.Has("plot")) {
    if (console->json()) {
      throw Error(ErrorCode::kInvalidInput, "--plot draws for people, and --format json was given",
                  "leave one of the two out; the samples stand in the run's folder, below gpus/");
    }
    PlotGpus(run, store.get(), file, console);
  } else {
    ShowRun(run, store.get(), console);
  }
  return kExitSucceeded;
}

}  // namespace

Command ShowCommand() {
  std::vector<OptionSpec> options = CommonOptions();
  options.push_back(DbOption());
  options.push_back({"plot", "", "draw what its GPUs did over the time; with FILE.svg, write that as a picture"});
  return {"show",
          "RUN_ID [--plot [FILE.svg]] [options]",
          "Tells all about one run: its stages, logs and outputs.",
          "RUN_ID may be cut to a unique beginning, or be `last`.",
          options,
          {"RUN_ID", 1, 2},
          Show};
}

}  // namespace cosmos
