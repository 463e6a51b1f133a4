#include "cli/edited_workflow.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "cli/load_workflow.h"
#include "core/error.h"
#include "core/text.h"
#include "workflow/plan_changes.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

// How a workflow's file differs from the text that it had.
std::vector<std::string> ChangesOfFile(const std::string& path, const std::string& before) {
  try {
    return ChangesOfText(before, ReadWorkflowFile(path));
  } catch (const Error&) {
    return {};  // moved or deleted, which is no edit
  }
}

}  // namespace

std::optional<CheckInput> ReadEdited(const RunInputs& inputs, const std::string& file) {
  if (file.empty()) return std::nullopt;
  CheckInput edited = ReadAgain(inputs);
  edited.file = fs::absolute(file).lexically_normal();
  edited.text = ReadWorkflowFile(file);
  ReadConfig(&edited);
  edited.params.text = ParamsForText(inputs.params, inputs.workflow_text, edited.text).dump();
  edited.input_files = true;
  edited.any_environment = false;
  edited.read_used = nullptr;
  return edited;
}

void PrintChanges(const RunOrder& order, Console* console) {
  if (console->json() || console->quiet()) return;
  const std::vector<std::string> changed(order.changed.begin(), order.changed.end());
  console->PrintLine(changed.empty() ? "no stage was changed: what succeeded is kept"
                                     : "changed, so done again: " + Join(changed, ", "));
}

void WarnOfChanges(const RunInputs& inputs, bool may_take, const std::string& run_id, Console* console) {
  constexpr std::size_t kMaxChanges = 4;
  std::vector<std::string> changes = ChangesOfFile(inputs.workflow_path, inputs.workflow_text);
  for (const auto& [path, text] : inputs.used_workflows) {
    for (const std::string& change : ChangesOfFile(path, text)) {
      changes.push_back(fs::path(path).filename().string() + ": " + change);
    }
  }
  if (changes.empty()) return;
  const std::size_t more = changes.size() - std::min(changes.size(), kMaxChanges);
  changes.resize(changes.size() - more);
  if (more > 0) changes.push_back("and " + std::to_string(more) + " more");
  console->Warn("'" + inputs.workflow_path + "' was edited since the run began (" + Join(changes, "; ") +
                "); the run keeps the text that it was started with" +
                (may_take ? "; `cosmos-engine retry " + run_id.substr(0, 11) + " --file '" + inputs.workflow_path +
                                "'` takes the new one"
                          : ""));
}

}  // namespace cosmos
