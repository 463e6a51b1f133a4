#include <nlohmann/json.hpp>

#include "fuzz/fuzz_targets.h"
#include "prompt_enhancement/backend.h"
#include "prompt_enhancement/chat_request.h"
#include "target/gpu/nvidia_smi.h"

namespace cosmos::testing {

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

}  // namespace cosmos::testing
