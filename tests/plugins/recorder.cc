#include <cosmos/plugin.hpp>
#include <fstream>
#include <stdexcept>

namespace {

using cosmos::sdk::Json;

// A hook that writes the types of all events it gets to a file, and fails when it is told to.
class Recorder : public cosmos::sdk::Hook {
 public:
  cosmos::sdk::Description Describe() const override {
    cosmos::sdk::Description description;
    description.id = "recorder";
    description.summary = "Writes events to a file.";
    description.parameters = {
        {"type", "object"},
        {"required", {"file"}},
        {"additionalProperties", false},
        {"properties", {{"file", {{"type", "string"}}}, {"fail", {{"type", "boolean"}, {"default", false}}}}}};
    return description;
  }
  void Start(const cosmos::sdk::Context&, const Json& parameters) override {
    file_.open(parameters.at("file").get<std::string>(), std::ios::app);
    fail_ = parameters.value("fail", false);
    file_ << "start\n";
  }
  void OnEvent(const Json& event) override {
    file_ << event.at("type").get<std::string>() << "\n";
    if (fail_) throw std::runtime_error("asked to fail");
  }
  void Stop() override { file_ << "stop\n" << std::flush; }

 private:
  std::ofstream file_;
  bool fail_ = false;
};

}  // namespace

COSMOS_PLUGIN(Recorder);
