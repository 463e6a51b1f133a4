// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_DESCRIPTION_HPP_
#define COSMOS_DESCRIPTION_HPP_

#include <cosmos/text.hpp>

#include <string>
#include <vector>

namespace cosmos::sdk {

// A schema of an object without properties.
inline Json EmptyObjectSchema() {
  return {{"type", "object"}, {"properties", Json::object()}, {"additionalProperties", false}};
}

// What a plugin says of itself; plugin.h tells what each part means. The kind is known from the class, and every plugin
// may log, and a stage report progress, where the host has a service for it, so none of that is said here.
struct Description {
  enum class PromptName { kStage, kWorkflow };
  enum class LogName { kRun, kOperation };

  std::string id;
  std::string version = "0.1.0";
  std::string summary;
  Json parameters = EmptyObjectSchema();
  Json outputs = EmptyObjectSchema();
  std::string outputs_from;
  PromptName prompt_name = PromptName::kStage;
  std::string folder;  // empty: the engine's default
  LogName log = LogName::kRun;
  std::vector<std::string> events;  // hooks only; empty: all
  std::vector<std::string> required_services;
  std::vector<std::string> optional_services;

  // As it crosses the ABI; `kind` is "stage" or "hook".
  Json ToJson(const char* kind) const {
    Json json = {{"id", id},
                 {"kind", kind},
                 {"version", version},
                 {"summary", summary},
                 {"parameters", parameters},
                 {"outputs", outputs},
                 {"prompt_name", prompt_name == PromptName::kWorkflow ? "workflow" : "stage"},
                 {"log", log == LogName::kOperation ? "operation" : "run"},
                 {"requires", required_services},
                 {"optional", optional_services}};
    if (!outputs_from.empty()) json["outputs_from"] = outputs_from;
    if (!folder.empty()) json["folder"] = folder;
    if (!events.empty()) json["events"] = events;
    return json;
  }
};

}  // namespace cosmos::sdk

#endif  // COSMOS_DESCRIPTION_HPP_
