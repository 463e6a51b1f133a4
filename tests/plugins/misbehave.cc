#include <chrono>
#include <condition_variable>
#include <cosmos/plugin.hpp>
#include <mutex>
#include <stdexcept>

namespace {

using cosmos::sdk::Json;

// Does what its parameter `how` says.
class Misbehave : public cosmos::sdk::Stage {
 public:
  cosmos::sdk::Description Describe() const override {
    cosmos::sdk::Description description;
    description.id = "misbehave";
    description.summary = "Fails in the way it is asked to.";
    description.parameters = {
        {"type", "object"},
        {"required", {"how"}},
        {"additionalProperties", false},
        {"properties",
         {{"how", {{"enum", {"fail", "throw", "wait", "leak"}}}}, {"text", {{"type", "string"}, {"default", ""}}}}}};
    description.outputs = {{"type", "object"}, {"properties", {{"text", {{"type", "string"}}}}}};
    return description;
  }

  Json Run(cosmos::sdk::Task& task, const Json& parameters) override {
    const std::string how = parameters.at("how"), text = parameters.at("text");
    if (how == "throw") throw std::runtime_error("thrown: " + text);
    if (how == "wait") {
      std::unique_lock lock(mutex_);
      cancelled_changed_.wait(lock, [this] { return cancelled_; });
      throw cosmos::sdk::Cancelled();
    }
    if (how == "leak") {
      task.Log(cosmos::sdk::LogLevel::kWarning, "the text is " + text);
      task.Progress(1, 2, text);
      return {{"text", text}};
    }
    throw cosmos::sdk::StageFailure("exit_code", text);
  }

  void Cancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    cancelled_changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable cancelled_changed_;
  bool cancelled_ = false;
};

}  // namespace

COSMOS_PLUGIN(Misbehave);
