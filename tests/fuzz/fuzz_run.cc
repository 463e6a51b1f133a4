#include <stdexcept>

#include "core/error.h"
#include "fuzz/fuzz_targets.h"
#include "fuzz/memory_folder.h"
#include "job/container.h"
#include "plugin/plugin_description.h"
#include "run/cleanup/garbage_script.h"
#include "run/rebuild/run_from_files.h"
#include "run/recovery.h"
#include "run/run_inputs.h"

namespace cosmos::testing {

void FuzzInspection(std::string_view input) {
  ContainerRecord container;
  container.status = "running";
  std::string problem;
  const std::string facts = ReadInspection(std::string(input), &container, &problem);
  if (facts.empty() == problem.empty()) throw std::logic_error("neither facts nor a problem");
  if (facts.empty() && container.status != "running") throw std::logic_error("the record changed");
}

void FuzzLeftovers(std::string_view input) {
  const Leftovers found = ParseLeftovers(std::string(input), 2, 2);
  for (const FoundContainer& container : found.containers) {
    ProcessesToEnd(found, container.run_id, [](const FoundProcess&) { return true; });
  }
}

void FuzzJournal(std::string_view input) {
  static const MemoryFolder folder;
  const std::filesystem::path journal = folder.Put("out/.runs/rs_1/events.jsonl", input);
  const History history({}, journal);
  try {
    ReadRunFolder(journal.parent_path());
  } catch (const Error&) {
  }
}

void FuzzRunInputs(std::string_view input) {
  static const MemoryFolder folder;
  try {
    LoadRunInputs(folder.Put("run.json", input));
  } catch (const Error&) {
  }
}

void FuzzPluginDescription(std::string_view input) {
  try {
    ReadDescription(std::string(input));
  } catch (const std::exception&) {
  }
}

}  // namespace cosmos::testing
