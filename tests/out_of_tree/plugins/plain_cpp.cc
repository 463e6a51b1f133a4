// The smallest stage in C++17: it greets in the log and has one output.
#include <cosmos/plugin.hpp>

namespace {

using cosmos::sdk::Description;
using cosmos::sdk::Json;
using cosmos::sdk::LogLevel;
using cosmos::sdk::Task;

class Greeter : public cosmos::sdk::Stage {
 public:
  Description Describe() const override {
    Description description;
    description.id = "plain-cpp";
    description.version = "1.0.0";
    description.summary = "Greets, in C++.";
    description.outputs = {{"type", "object"}, {"properties", {{"greeting", {{"type", "string"}}}}}};
    return description;
  }

  Json Run(Task& task, const Json&) override {
    const std::string greeting = "hello from C++, stage " + task.context().stage;
    task.Log(LogLevel::kInfo, greeting);
    return {{"greeting", greeting}};
  }
};

}  // namespace

COSMOS_PLUGIN(Greeter);
