#include <fmt/format.h>

#include <algorithm>

#include "cli/command.h"
#include "core/error.h"
#include "core/json_values.h"
#include "core/text.h"
#include "plugin/catalogue.h"

namespace cosmos {
namespace {

using nlohmann::json;

const char* KindOf(const PluginFacts& facts) { return facts.kind == PluginFacts::Kind::kHook ? "hook" : "stage"; }

json ToJson(const PluginLibrary& library, bool whole) {
  const PluginFacts& facts = library.facts();
  json value = {{"id", facts.id},
                {"kind", KindOf(facts)},
                {"version", facts.version},
                {"summary", facts.summary},
                {"path", library.path().string()}};
  if (whole) {
    value["parameters"] = facts.parameters;
    value["outputs"] = facts.outputs;
    value["requires"] = facts.required_services;
  }
  return value;
}

json ToJson(const Catalogue::Complaint& complaint) {
  return {{"path", complaint.path.string()},
          {"message", complaint.message},
          {"hint", complaint.hint},
          {"shadowed", complaint.shadowed}};
}

int List(const Catalogue& catalogue, Console* console) {
  std::vector<const PluginLibrary*> all = catalogue.All();
  std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->facts().id < b->facts().id; });
  const std::vector<Catalogue::Complaint> complaints = catalogue.Complaints();
  const bool bad = std::any_of(complaints.begin(), complaints.end(), [](const auto& c) { return !c.shadowed; });
  if (console->json()) {
    json plugins = json::array(), problems = json::array();
    for (const PluginLibrary* library : all) plugins.push_back(ToJson(*library, false));
    for (const Catalogue::Complaint& complaint : complaints) problems.push_back(ToJson(complaint));
    console->PrintJson({{"plugins", plugins}, {"problems", problems}});
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const PluginLibrary* library : all) {
      const PluginFacts& facts = library->facts();
      rows.push_back({facts.id, KindOf(facts), facts.version, facts.summary});
    }
    console->PrintTable({"PLUGIN", "KIND", "VERSION", "WHAT IT DOES"}, rows);
    for (const Catalogue::Complaint& complaint : complaints) {
      console->Warn((complaint.shadowed ? "note: " + complaint.path.string() + " is " : "") + complaint.message);
      console->Warn("  " + complaint.hint);
    }
  }
  return bad ? kExitWrongInput : kExitSucceeded;
}

std::string TypeOf(const json& schema) {
  if (schema.contains("enum")) return "one of " + Join(PlainTexts(schema["enum"]), ", ");
  if (schema.value("format", "") == "input-file" && schema.value("type", json()) == "string") return "file";
  if (schema.value("format", "") == "input-path") return "file, folder or pattern";
  const json type = schema.value("type", json("any value"));
  return type.is_array() ? Join(PlainTexts(type), " or ") : type.get<std::string>();
}

// The values that a number may have; empty: any.
std::string RangeOf(const json& schema) {
  const auto text = [&](const char* key) { return schema.contains(key) ? schema[key].dump() : std::string(); };
  const std::string least = text("minimum"), above = text("exclusiveMinimum"), most = text("maximum");
  std::string range;
  if (!least.empty()) range = most.empty() ? "at least " + least : least + " to " + most;
  if (!above.empty()) range = "more than " + above + (most.empty() ? "" : ", at most " + most);
  if (range.empty() && !most.empty()) range = "at most " + most;
  if (schema.contains("multipleOf")) range += (range.empty() ? "" : ", ") + ("a multiple of " + text("multipleOf"));
  return range;
}

void PrintProperties(const json& schema, const std::string& indent, Console* console) {
  const auto required = schema.value("required", std::vector<std::string>());
  const json properties = schema.value("properties", json::object());
  for (const auto& [name, property] : properties.items()) {
    std::string line =
        fmt::format("{}{:<{}} {}", indent, name, 20 - std::min<std::size_t>(indent.size(), 16), TypeOf(property));
    if (const std::string range = RangeOf(property); !range.empty()) line += ", " + range;
    if (std::find(required.begin(), required.end(), name) != required.end()) line += ", required";
    if (property.contains("default")) line += ", default " + property["default"].dump();
    console->PrintLine(line);
    if (property.contains("description")) {
      console->PrintLine(indent + "    " + property["description"].get<std::string>());
    }
    PrintProperties(property, indent + "    ", console);
  }
  if (!schema.contains("discriminator")) return;
  // Each branch has parameters of its own, which are told as its own.
  const std::string chooser = schema["discriminator"]["propertyName"];
  for (json branch : schema.value("oneOf", json::array())) {
    console->PrintLine(fmt::format("{}with {} {}", indent, chooser, PlainText(branch["properties"][chooser]["const"])));
    branch["properties"].erase(chooser);
    PrintProperties(branch, indent + "  ", console);
  }
}

// The parameters that go with one model alone; all without a model.
json ParametersOf(json schema, const std::string& id, const std::string& model) {
  if (model.empty()) return schema;
  const json chooser = schema.value("discriminator", json::object()).value("propertyName", json());
  if (chooser != "model") {
    throw Error(ErrorCode::kInvalidInput, "the plugin '" + id + "' has no models to choose from", "leave out --model");
  }
  json kept = json::array();
  std::vector<std::string> models;
  for (const json& branch : schema.value("oneOf", json::array())) {
    models.push_back(PlainText(branch["properties"]["model"]["const"]));
    if (models.back() == model) kept.push_back(branch);
  }
  if (kept.empty()) {
    throw Error(ErrorCode::kInvalidInput, "found '" + model + "' after --model", Suggestion(model, models));
  }
  schema["oneOf"] = kept;
  return schema;
}

int Show(Catalogue* catalogue, const std::string& id, const std::string& model, Console* console) {
  if (id.empty()) throw Error(ErrorCode::kInvalidInput, "ID is missing", "write `cosmos-engine plugins show ID`");
  const PluginLibrary& library = catalogue->Get(id);
  const PluginFacts& facts = library.facts();
  const json parameters = ParametersOf(facts.parameters, id, model);
  if (console->json()) {
    json shown = ToJson(library, true);
    shown["parameters"] = parameters;
    console->PrintJson(shown);
    return kExitSucceeded;
  }
  console->PrintLine(console->Paint(Colour::kBold, facts.id) + fmt::format("  {} plugin, version {}\n{}\n{}",
                                                                           KindOf(facts), facts.version, facts.summary,
                                                                           library.path().string()));
  console->PrintLine("\nparameters");
  PrintProperties(parameters, "  ", console);
  if (facts.kind == PluginFacts::Kind::kStage) {
    console->PrintLine("\noutputs");
    PrintProperties(facts.outputs, "  ", console);
    if (!facts.outputs_from.empty())
      console->PrintLine("  and the names below the parameter `" + facts.outputs_from + "`");
  }
  return kExitSucceeded;
}

int Plugins(const Arguments& arguments, Console* console) {
  Catalogue catalogue(Catalogue::SearchPath(arguments.Get("plugin-path")));
  const std::string what = arguments.Positional(0).empty() ? "list" : arguments.Positional(0);
  if (what == "list") return List(catalogue, console);
  if (what == "show") return Show(&catalogue, arguments.Positional(1), arguments.Get("model"), console);
  throw Error(ErrorCode::kInvalidInput, "`plugins` cannot '" + what + "'", Suggestion(what, {"list", "show"}));
}

}  // namespace

Command PluginsCommand() {
  std::vector<OptionSpec> options = CommonOptions();
  options.push_back({"model", "NAME", "with show: only the parameters of this model"});
  options.push_back(PluginPathOption());
  return {"plugins",
          "[list|show ID] [options]",
          "Lists the plugins that are found, or tells all about one.",
          "A plugin that cannot be used is told of with the reason and how to mend it; the exit status is then 2.",
          options,
          {"ACTION", 0, 2},
          Plugins};
}

}  // namespace cosmos
