#include "prompt_enhancement/openai_backend.h"

#include <chrono>
#include <stdexcept>

#include "common/duration.h"
#include "common/parameters.h"
#include "prompt_enhancement/openai_client.h"
#include "prompt_enhancement/video_frames.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;
using sdk::LogLevel;
using std::chrono::milliseconds;

milliseconds DurationAt(const Json& parameters, const char* key) {
  try {
    const milliseconds duration = ParseDuration(parameters.at(key));
    if (duration.count() > 0) return duration;
  } catch (const std::invalid_argument&) {
  }
  throw sdk::StageFailure("invalid_input", std::string(key) + ": found " + parameters.at(key).dump() +
                                               ", expected a duration above 0; write such as \"2m\"");
}

OpenAiClient::Server ServerOf(const Json& parameters) {
  OpenAiClient::Server server;
  server.base_url = Text(parameters, "base_url");
  server.api_key = Text(parameters, "api_key");
  server.timeout = DurationAt(parameters, "timeout");
  server.attempts = parameters.at("attempts").get<int>();
  server.max_wait = DurationAt(parameters, "max_wait");
  return server;
}

ChatQuestion QuestionOf(const Json& parameters, const Interrupt& interrupt) {
  ChatQuestion question;
  question.model = Text(parameters, "model");
  question.system_prompt = Text(parameters, "system_prompt");
  question.prompt = Text(parameters, "prompt");
  question.temperature = parameters.at("temperature").get<double>();
  question.max_tokens = parameters.at("max_tokens").get<int>();
  if (parameters.contains("seed")) question.seed = parameters.at("seed").get<std::int64_t>();
  const int images = parameters.at("images").get<int>();
  const std::string video = Text(parameters, "video");
  if (!video.empty() && images > 0) question.frames = JpegFrames(video, images, interrupt);
  return question;
}

}  // namespace

Enhanced EnhanceByOpenAi(const sdk::Task& task, const Json& parameters, const Interrupt& interrupt) {
  OpenAiClient client(
      ServerOf(parameters), &interrupt, [&](LogLevel level, const std::string& text) { task.Log(level, text); },
      [&](milliseconds duration) { interrupt.Sleep(duration); });
  const ChatQuestion question = QuestionOf(parameters, interrupt);
  const std::size_t frames = question.frames.size();
  task.Log(LogLevel::kInfo, "asking " + question.model + " at " + Text(parameters, "base_url") +
                                (frames == 0 ? "" : ", with " + std::to_string(frames) + " frames of the video"));
  task.Progress(0, 0, "asking " + question.model);

  Enhanced enhanced;
  try {
    const ChatAnswer answer = client.Ask(ChatBody(question));
    enhanced.prompt = answer.prompt;
    enhanced.record = {{"model", answer.model.empty() ? question.model : answer.model},
                       {"usage", answer.usage},
                       {"requests", client.requests()}};
  } catch (const BackendFailure& failure) {
    Json more = failure.failure();
    more["record"] = {{"model", question.model}, {"requests", client.requests()}};
    throw BackendFailure(more);
  }
  enhanced.record["base_url"] = parameters.at("base_url");
  enhanced.record["images"] = frames;
  return enhanced;
}

}  // namespace cosmos::plugins
