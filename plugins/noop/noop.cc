// The stage that does nothing: a point where branches of a workflow meet, or a place to give values a name.
#include <cosmos/plugin.hpp>

namespace {

using cosmos::sdk::Description;
using cosmos::sdk::Json;
using cosmos::sdk::Task;

class Noop : public cosmos::sdk::Stage {
 public:
  Description Describe() const override {
    Description description;
    description.id = "noop";
    description.version = "1.0.0";
    description.summary = "Does nothing; joins branches of the graph and passes values on.";
    description.parameters = Json::parse(R"({
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "outputs": {
          "type": "object",
          "description": "Values that become the stage's outputs, unchanged. Default: none."
        }
      }
    })");
    description.outputs_from = "outputs";
    return description;
  }

  Json Run(Task&, const Json& parameters) override {
    const auto outputs = parameters.find("outputs");
    return outputs == parameters.end() ? Json::object() : *outputs;
  }
};

}  // namespace

COSMOS_PLUGIN(Noop);
