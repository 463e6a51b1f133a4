#include "cli/output_reference.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "cli/state_home.h"
#include "core/error.h"
#include "core/json_values.h"
#include "core/text.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

using nlohmann::json;

std::string PathOf(const std::string& word, const std::string& stage, const std::string& output, RunStore* store) {
  const RunRecord run = FindRun(word, store);
  std::vector<std::string> keys;
  json outputs;
  for (const StageRecord& record : store->StagesOf(run.run_id)) {
    const std::string key = StageKey(record);
    if (record.status != "succeeded") continue;
    keys.push_back(key);
    if (key == stage) outputs = TryParseJson(record.outputs, kOwnJson);
  }
  if (!outputs.is_object()) {
    throw Error(ErrorCode::kInvalidInput, "the run " + run.run_id + " has no stage '" + stage + "' that succeeded",
                Suggestion(stage, keys));
  }
  std::vector<std::string> names;
  for (const auto& [name, value] : outputs.items()) {
    if (name == output && value.is_string()) return value.get<std::string>();
    if (value.is_string()) names.push_back(name);
  }
  throw Error(ErrorCode::kInvalidInput,
              "stage '" + stage + "' of the run " + run.run_id + " has no output '" + output + "'",
              Suggestion(output, names));
}

struct OutputReference {
  std::string name;
  std::string run;
  std::string stage;
  std::string output;
};

// What `NAME=run:RUN/STAGE/OUTPUT` says.
std::optional<OutputReference> ReferenceIn(const std::string& text) {
  constexpr std::string_view kMark = "=run:";
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == text.npos || text.compare(equals, kMark.size(), kMark) != 0) return std::nullopt;
  const std::size_t run = equals + kMark.size();
  const std::size_t first = text.find('/', run);
  const std::size_t second = first == text.npos ? first : text.find('/', first + 1);
  if (second == text.npos || text.find('/', second + 1) != text.npos || text.find(' ', run) != text.npos) {
    return std::nullopt;
  }
  OutputReference reference{text.substr(0, equals), text.substr(run, first - run),
                            text.substr(first + 1, second - first - 1), text.substr(second + 1)};
  const bool complete = !reference.run.empty() && !reference.stage.empty() && !reference.output.empty();
  return complete ? std::optional(std::move(reference)) : std::nullopt;
}

}  // namespace

std::vector<std::string> WithOutputsOfRuns(const std::vector<std::string>& overrides,
                                           const std::function<std::unique_ptr<RunStore>()>& open_store) {
  std::vector<std::string> resolved;
  std::unique_ptr<RunStore> store;
  for (const std::string& text : overrides) {
    const std::optional<OutputReference> reference = ReferenceIn(text);
    if (!reference) {
      resolved.push_back(text);
      continue;
    }
    if (store == nullptr) store = open_store();
    resolved.push_back(reference->name + "=" +
                       PathOf(reference->run, reference->stage, reference->output, store.get()));
  }
  return resolved;
}

}  // namespace cosmos
