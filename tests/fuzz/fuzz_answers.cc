#include <functional>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "fuzz/fuzz_targets.h"
#include "prompt_enhancement/backend.h"
#include "prompt_enhancement/chat_request.h"
#include "target/gpu/nvidia_smi.h"
#include "target/ssh/remote_frame.h"
#include "target/ssh/remote_scripts.h"
#include "target/ssh/ssh_exchange.h"
#include "target/target.h"

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

// A reply comes in pieces: the first byte says how long they are.
void FuzzHostReplies(std::string_view input) {
  const std::size_t size = input.empty() ? 1 : static_cast<unsigned char>(input[0]) + 1;
  const RemoteFrame frame;
  SshExchange exchange("command", "begin\n", SshExchange::Kind::kShort);
  std::string output;
  for (std::size_t at = 0; at < input.size(); at += size) {
    exchange.AddOutput(input.substr(at, size));
    exchange.AddErrors(input.substr(at, size));
    output += exchange.Read({}, nullptr);
  }
  exchange.SetEnd(SshExchange::End::kExited, 0);
  output += exchange.Read({}, nullptr);
  frame.TakeEnd(&output);
  FollowSawChange(exchange.Errors());
  ParseHandle("/jobs/1", output);
  ParseExitStatus(output);
  for (const auto& parse :
       std::initializer_list<std::function<void()>>{[&] { ParseState(output); }, [&] { ParseLogPiece(output); }}) {
    try {
      parse();
    } catch (const Error&) {
    }
  }
}

}  // namespace cosmos::testing
