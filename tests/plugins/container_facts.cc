#include <cosmos/plugin.hpp>

namespace {

using cosmos::sdk::Json;

// A stage that asks the engine for the containers of its run.
class ContainerFacts : public cosmos::sdk::Stage {
 public:
  cosmos::sdk::Description Describe() const override {
    cosmos::sdk::Description description;
    description.id = "container-facts";
    description.summary = "Tells of the run's containers.";
    description.outputs = {{"type", "object"}, {"properties", {{"containers", {{"type", "array"}}}}}};
    description.required_services = {"cosmos.target/1"};
    return description;
  }
  Json Run(cosmos::sdk::Task& task, const Json&) override {
    return {{"containers", task.Containers(task.context().run_id)}};
  }
};

}  // namespace

COSMOS_PLUGIN(ContainerFacts);
