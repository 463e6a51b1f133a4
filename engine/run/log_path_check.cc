#include "run/log_path_check.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "core/ids.h"
#include "run/run_paths.h"
#include "store/records.h"

namespace cosmos {

void CheckLogPaths(const Plan& plan, const PluginDirectory& plugins, const std::filesystem::path& output_dir,
                   const std::string& run_id) {
  const RunPaths paths(output_dir, run_id);
  RunContext context;
  context.run_id = run_id;
  context.prompt_id = PromptIdOf("");
  context.operation_id = NewOperationId();
  context.attempt = 10'000;  // more than anybody's patience
  for (const auto* list : {&plan.instances, &plan.on_failure, &plan.on_success, &plan.on_exit}) {
    for (const StageInstance& instance : *list) {
      const PluginFacts* const plugin = plugins.Find(instance.uses);
      if (plugin == nullptr) continue;
      context.prompt_name = instance.prompt_name;
      context.stage = instance.stage;
      context.instance = instance.instance;
      const std::string path = paths.StageLog(*plugin, context).string();
      const auto characters = std::count_if(path.begin(), path.end(),
                                            [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
      if (static_cast<std::size_t>(characters) <= kMaxLogPathCharacters) continue;
      throw Error(ErrorCode::kInvalidInput,
                  "the log of stage '" + instance.key() + "' would have a path of " + std::to_string(characters) +
                      " characters, expected at most " + std::to_string(kMaxLogPathCharacters) + ": " + path,
                  "choose a shorter --output-dir, prompt_name or --run-id");
    }
  }
}

}  // namespace cosmos
