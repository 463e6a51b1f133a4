#include "run/open_attempt.h"

#include <utility>

#include "core/failure_patterns.h"
#include "run/mask_json.h"
#include "workflow/plugin_checks.h"

namespace cosmos {

OpenAttempt::OpenAttempt(const RunServices* services, RunContext context, const StageInstance& instance,
                         const InstanceState& begin)
    : services_(*services),
      context_(std::move(context)),
      instance_(instance),
      record_(services->store, services->clock, context_, instance, begin.started_at),
      span_(services->bus, context_, {instance.uses, instance.target, record_.Facts()}, begin.start_published) {}

void OpenAttempt::SetPrompt(const std::string& prompt_id) {
  context_.prompt_id = prompt_id;
  record_.SetPrompt(prompt_id);
}

AttemptEnd OpenAttempt::Close(AttemptEnd end) {
  if (end.failure.kind == FailureKind::kCudaOom) {
    std::vector<std::string> steps;
    const PluginFacts* const facts = services_.plugins->Find(instance_.uses);
    if (facts != nullptr && instance_.retry.on_oom.empty()) steps = PluginChecks::OomStepsOf(*facts, instance_.with);
    end.failure.message = WithOomSteps(end.failure.message, steps);
  }
  if (end.failure) {
    end.status = end.failure.kind == FailureKind::kCancelled ? Status::kCancelled : Status::kFailed;
    end.failure.message = services_.masker->Mask("stage '" + context_.key() + "' " + std::string(ToString(end.status)) +
                                                 ": " + end.failure.message);
    services_.logger->Log(LogLevel::kError, context_, end.failure.message);
  }
  record_.End(end, *services_.masker);
  if (end.status == Status::kSucceeded) {
    span_.End(StageFinished{MaskJson(end.outputs, *services_.masker), record_.Facts()});
  } else if (end.status == Status::kCancelled) {
    span_.End(StageCancelled{record_.Facts()});
  } else {
    span_.End(StageFailed{end.failure, record_.Facts()});
  }
  return end;
}

}  // namespace cosmos
