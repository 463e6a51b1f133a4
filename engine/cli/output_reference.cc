#include "cli/output_reference.h"

#include <nlohmann/json.hpp>
#include <regex>

#include "cli/state_home.h"
#include "core/error.h"
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
    if (key == stage) outputs = json::parse(record.outputs, nullptr, false);
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

}  // namespace

std::vector<std::string> WithOutputsOfRuns(const std::vector<std::string>& overrides,
                                           const std::function<std::unique_ptr<RunStore>()>& open_store) {
  static const std::regex kForm("([^=]+=)run:([^/ ]+)/([^/ ]+)/([^/ ]+)");
  std::vector<std::string> resolved;
  std::unique_ptr<RunStore> store;
  for (const std::string& text : overrides) {
    std::smatch match;
    if (!std::regex_match(text, match, kForm)) {
      resolved.push_back(text);
      continue;
    }
    if (store == nullptr) store = open_store();
    resolved.push_back(match[1].str() + PathOf(match[2], match[3], match[4], store.get()));
  }
  return resolved;
}

}  // namespace cosmos
