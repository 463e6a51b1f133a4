#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "job/container_engine.h"

// What gc executes on a target, and the reading of what that prints. Pure functions; any thread. All that a host says
// is checked when it is read, and quoted when it goes back.
namespace cosmos {

struct FoundContainer {
  std::size_t engine = 0;  // in the order asked for
  std::string id;          // hex digits
  bool running = false;
  std::string run_id;  // as its label says and its name begins; a safe name
  std::string name;
};

struct FoundProcess {
  std::int64_t pid = 0;
  std::int64_t session = 0;
  std::int64_t start_time = 0;  // tells it from a later process of the same number
  std::string name;
  std::string run_id;      // of its environment, a safe name; empty: none
  std::string output_dir;  // of its environment, or empty
};

struct FoundFolder {
  std::size_t workdir = 0;  // in the order asked for
  std::string run_id;       // a safe name
  std::int64_t size = 0;    // bytes
};

struct Leftovers {
  bool whole = false;  // the script came to its end
  std::vector<FoundContainer> containers;
  std::vector<FoundProcess> processes;  // when any has a run_id, all of the machine
  std::set<std::int64_t> own_sessions;  // of those who looked
  std::vector<FoundFolder> folders;
  std::map<std::size_t, std::string> workdirs;  // absolute, of those that have a folder for runs
  std::map<std::size_t, std::int64_t> inputs;   // bytes, of those that have any
  std::set<std::size_t> strange;                // workdirs with something else among the folders of runs
  std::vector<std::string> problems;            // what could not be looked at
};

// Looks for everything; `workdirs` are folders as targets write them. Changes nothing.
std::string LookScript(const std::vector<ContainerEngine>& engines, const std::vector<std::string>& workdirs);
// Looks for processes alone.
std::string ProcessesScript();
// Looks for containers alone.
std::string ContainersScript(const std::vector<ContainerEngine>& engines);
// Looks only for processes that have a run_id, of each run the first ones: quick however many processes there are.
std::string RunProcessesScript();
// What one of them, that asked for so many engines and workdirs, printed. Lines that make no sense are left out.
Leftovers ParseLeftovers(const std::string& output, std::size_t engines = 0, std::size_t workdirs = 0);

// The processes to be ended for a run: those that `is_of_run` finds to be its own, with all of their sessions; of a
// session whose leader is alive and not of the run only they themselves, and never what has another run_id.
std::vector<FoundProcess> ProcessesToEnd(const Leftovers& found, const std::string& run_id,
                                         const std::function<bool(const FoundProcess&)>& is_of_run);

// Sends the signal (a name such as TERM) to each that is still the same process.
std::string SignalScript(const std::string& signal, const std::vector<FoundProcess>& processes);
// Ends the containers, after `grace` by force, and removes them. Prints `asked`, and `left ID` for each container there
// is.
std::string RemoveContainersScript(const ContainerEngine& engine, const std::vector<std::string>& ids, Duration grace);
// Removes WORKDIR/.cosmos/jobs/RUN_ID, or all that is in WORKDIR/.cosmos/inputs; fails unless it is gone. REQUIRES: a
// safe run_id.
std::string RemoveFolderScript(const std::string& workdir, const std::string& run_id);
std::string RemoveInputsScript(const std::string& workdir);

}  // namespace cosmos
