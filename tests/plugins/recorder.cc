#include <cosmos/plugin.hpp>
#include <fstream>
#include <stdexcept>

namespace {

using cosmos::sdk::Json;

// A hook that writes the types of all events it gets to a file, or the whole events, a line of JSON each; and fails
// when it is told to.
class Recorder : public cosmos::sdk::Hook {
 public:
  cosmos::sdk::Description Describe() const override {
    cosmos::sdk::Description description;
    description.id = "recorder";
    description.summary = "Writes events to a file.";
    description.parameters = {{"type", "object"},
                              {"required", {"file"}},
                              {"additionalProperties", false},
                              {"properties",
                               {{"file", {{"type", "string"}}},
                                {"whole", {{"type", "boolean"}, {"default", false}}},
                                {"fail", {{"type", "boolean"}, {"default", false}}}}}};
    return description;
  }
  void Start(const cosmos::sdk::Context&, const Json& parameters) override {
    file_.open(parameters.at("file").get<std::string>(), std::ios::app);
    fail_ = parameters.value("fail", false);
    whole_ = parameters.value("whole", false);
    if (!whole_) file_ << "start\n";
  }
  void OnEvent(const Json& event) override {
    file_ << (whole_ ? event.dump() : event.at("type").get<std::string>()) << std::endl;
    if (fail_) throw std::runtime_error("asked to fail");
  }
  void Stop() override {
    if (!whole_) file_ << "stop\n" << std::flush;
  }

 private:
  std::ofstream file_;
  bool fail_ = false;
  bool whole_ = false;
};

}  // namespace

COSMOS_PLUGIN(Recorder);
