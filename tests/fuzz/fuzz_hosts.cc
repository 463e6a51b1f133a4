#include <nlohmann/json.hpp>
#include <stdexcept>

#include "fuzz/fuzz_targets.h"
#include "job/container.h"
#include "plugin/plugin_description.h"
#include "prompt_enhancement/backend.h"
#include "prompt_enhancement/chat_request.h"
#include "target/gpu/nvidia_smi.h"

namespace cosmos::testing {

void FuzzInspection(std::string_view input) {
  ContainerRecord container;
  container.status = "running";
  std::string problem;
  const std::string facts = ReadInspection(std::string(input), &container, &problem);
  if (facts.empty() == problem.empty()) throw std::logic_error("neither facts nor a problem");
  if (facts.empty() && container.status != "running") throw std::logic_error("the record changed");
}

void FuzzChatAnswer(std::string_view input) {
  const std::string body(input);
  plugins::ErrorIn(body);
  plugins::PromptIn(body);
  try {
    plugins::ReadChatAnswer(body);
  } catch (const plugins::BackendFailure&) {
  }
}

void FuzzNvidiaSmi(std::string_view input) {
  const GpuReading reading = ParseGpuAnswer(input, WallTime());
  reading.Faults();
  // The answer is kept as JSON for other processes.
  const std::string text = ToJson(reading).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  GpuReadingFromJson(nlohmann::json::parse(text));
}

void FuzzPluginDescription(std::string_view input) {
  try {
    ReadDescription(std::string(input));
  } catch (const std::exception&) {
  }
}

}  // namespace cosmos::testing
