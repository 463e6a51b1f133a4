// What `cosmos-engine schema` prints for editors: valid for other validators, and of the same opinion as the engine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "core/json_values.h"
#include "support/sandbox.h"
#include "workflow/language_forms.h"
#include "workflow/schema_checker.h"
#include "workflow/schema_texts.h"
#include "workflow/schema_walk.h"
#include "workflow/workflow_schema.h"
#include "workflow/yaml_document.h"

namespace cosmos::testing {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string kHead = "version: 1\nstages: {a: {uses: noop";
const std::string kInference =
    "version: 1\nstages: {a: {uses: inference, with: {model: playblast, prompt: a, input_video: a.mp4";

// What `validate` refuses, and a schema with the plugins can see.
const std::vector<std::string> kMistakes = {
    "stages: {a: {uses: noop}}",
    "version: 2\nstages: {a: {uses: noop}}",
    "version: \"1\"\nstages: {a: {uses: noop}}",
    "version: 1",
    "version: 1\nstages: {}",
    "version: 1\nstages: [a]",
    "version: 1\non: push\nstages: {a: {uses: noop}}",
    "version: 1\njobs: {}\nstages: {a: {uses: noop}}",
    "version: 1\nstages: {1a: {uses: noop}}",
    "version: 1\nstages: {a: {}}",
    "version: 1\nname: a b\nstages: {a: {uses: noop}}",
    "version: 1\nname: \"${{ params.x }}\"\nstages: {a: {uses: noop}}",
    "version: 1\ndescription: \"${{ run.id }}\"\nstages: {a: {uses: noop}}",
    "version: 1\nparams: {a: {default: 1}}\nstages: {a: {uses: noop}}",
    "version: 1\nparams: {a: {type: int}}\nstages: {a: {uses: noop}}",
    "version: 1\nparams: {a: {type: integer, minimum: low}}\nstages: {a: {uses: noop}}",
    "version: 1\nparams: {a: {type: string, enum: []}}\nstages: {a: {uses: noop}}",
    "version: 1\nenv: {1A: b}\nstages: {a: {uses: noop}}",
    "version: 1\nenv: {A: [b]}\nstages: {a: {uses: noop}}",
    "version: 1\nuses_env: [A B]\nstages: {a: {uses: noop}}",
    "version: 1\nsecrets: {A: {}}\nstages: {a: {uses: noop}}",
    "version: 1\nsecrets: {A: {env: A, file: b}}\nstages: {a: {uses: noop}}",
    "version: 1\ntargets: {a: {workdir: /a}}\nstages: {a: {uses: noop}}",
    "version: 1\ntargets: {a: {local: {}, ssh: b}}\nstages: {a: {uses: noop}}",
    "version: 1\ntargets: {a: {ssh: {port: 22}}}\nstages: {a: {uses: noop}}",
    "version: 1\ntargets: {a: {ssh: {host: b, port: 70000}}}\nstages: {a: {uses: noop}}",
    "version: 1\ntargets: {a: {ssh: b, gpus: -1}}\nstages: {a: {uses: noop}}",
    "version: 1\ntargets: {a: {ssh: b, container: {image: c, engine: lxc}}}\nstages: {a: {uses: noop}}",
    "version: 1\ntargets: {a: {ssh: b, container: {image: c, mounts: [/a]}}}\nstages: {a: {uses: noop}}",
    "version: 1\ntargets: {a: {ssh: b, container: {image: c, entrypoint: bash}}}\nstages: {a: {uses: noop}}",
    "version: 1\nlog: {max_bytes: 1}\nstages: {a: {uses: noop}}",
    "version: 1\ndiagnostics: 1\nstages: {a: {uses: noop}}",
    "version: 1\nhooks: {shell: {}}\nstages: {a: {uses: noop}}",
    "version: 1\nhooks: {gpu-monitor: true}\nstages: {a: {uses: noop}}",
    "version: 1\nhooks: {gpu-monitor: {intervall: 5s}}\nstages: {a: {uses: noop}}",
    "version: 1\nhooks: {log-streamer: {mode: push}}\nstages: {a: {uses: noop}}",
    "version: 1\non_exit: [{uses: noop, needs: a}]\nstages: {a: {uses: noop}}",
    "version: 1\non_exit: [{uses: nop}]\nstages: {a: {uses: noop}}",
    "version: 1\non_exit: [{uses: diagnostics, with: {time: 3s}}]\nstages: {a: {uses: noop}}",
    kHead + ", run: echo}}",
    kHead + ", needs: [a, a]}}",
    kHead + ", needs: {a: b}}}",
    kHead + ", matrix: {}}}",
    kHead + ", matrix: {a: []}}}",
    kHead + ", matrix: {a: b}}}",
    kHead + ", matrix: {a: [1], max_parallel: 0}}}",
    kHead + ", matrix: {a: [1], include: [1]}}}",
    kHead + ", retry: {attempts: 0}}}",
    kHead + ", retry: {attempts: 101}}}",
    kHead + ", retry: {on: [oom]}}}",
    kHead + ", retry: {backoff: 5 minutes}}}",
    kHead + ", timeout: 1y}}",
    kHead + ", timeout: -1}}",
    kHead + ", timeout: 1h30}}",
    kHead + ", batch: all}}",
    kHead + ", batch: 0}}",
    kHead + ", continue_on_error: yes}}",
    kHead + ", resources: {gpus: some}}}",
    kHead + ", resources: {gpu_busy: kill}}}",
    kHead + ", container: {image: \"\"}}}",
    kHead + ", with: {a: 1}}}",
    "version: 1\nstages: {a: {uses: nop}}",
    "version: 1\nstages: {a: {uses: gpu-monitor}}",
    "version: 1\nstages: {a: {uses: shell}}",
    "version: 1\nstages: {a: {uses: shell, with: }}",
    "version: 1\nstages: {a: {uses: shell, with: {}}}",
    "version: 1\nstages: {a: {uses: shell, with: {run: a, argv: [b]}}}",
    "version: 1\nstages: {a: {uses: shell, with: {run: \"\"}}}",
    "version: 1\nstages: {a: {uses: shell, with: {run: a, outputs: {v: {kind: movie, path: b}}}}}",
    "version: 1\nstages: {a: {uses: inference, with: {prompt: a, input_video: b}}}",
    "version: 1\nstages: {a: {uses: inference, with: {model: cosmos, prompt: a, input_video: b}}}",
    kInference + ", sede: 1}}}",
    kInference + ", seed: -1}}}",
    kInference + ", seed: 1.5}}}",
    kInference + ", width: 17}}}",
    kInference + ", controls: {depth: {}}}}}",
    kInference + ", guidance: 3}}}",
    "version: 1\nstages: {a: {uses: upscaling, with: {scale: 2}}}",
    "version: 1\nstages: {a: {uses: upscaling, with: {input: a, scale: 20}}}",
    "version: 1\nstages: {a: {uses: upscaling, with: {input: a, num_steps: 20}}}",  // not of lanczos, the default
    "version: 1\nstages: {a: {uses: prepare, with: {fps: 24}}}",
    "version: 1\nstages: {a: {uses: prepare, with: {folder: a, fps: 0}}}",
    "version: 1\nstages: {a: {uses: prepare, with: {folder: a, map: {dept: z.####.exr}}}}",
    "version: 1\nstages: {a: {uses: prepare, with: {folder: a, controls: {depth: {colorspace: raw}}}}}",
    "version: 1\nstages: {a: {uses: prompt-enhancement, with: {prompt: a, backend: openai}}}",
    "version: 1\nstages: {a: {uses: prompt-enhancement, with: {prompt: a, backend: openai, model: b, base_url: "
    "ftp://c}}}",
};

// Parameters of each plugin and of each model.
const std::map<std::string, std::vector<std::string>> kParameters = {
    {"shell", {"{run: a, outputs: {a: b, c: {path: d, kind: video, optional: true}}}", "{argv: [a, 1, true]}"}},
    {"noop", {"{outputs: {a: 1}}", "{}"}},
    {"prepare",
     {"{folder: a}",
      "{folder: a, name: b, fps: 23.976, frames: 1-9x2, map: {depth: z.####.exr}, layer: c, colorspace: acescg, "
      "controls: {color: {pattern: d.####.exr, layer: e, colorspace: raw}, depth: {layer: Z}}, depth_range: "
      "\"0.1:250\", "
      "depth_invert: true, allow_gaps: hold, crop_odd: true}",
      "{folder: a, fps: 24000/1001, frames: 7}"}},
    {"upscaling",
     {"{input: a, scale: 2.5}", "{input: [a, b], backend: lanczos, width: 640, weight: 0}",
      "{input: a, backend: cosmos-4k, num_steps: 3, launcher: python, prompt: b, benchmark: true}"}},
    {"prompt-enhancement",
     {"{prompt: a}", "{prompt: a, backend: template, style: none}",
      "{prompt: a, backend: openai, base_url: \"http://localhost:80/v1\", model: m, timeout: 3s, max_wait: 4, images: "
      "0}",
      "{prompt: a, backend: cosmos-upsampler, video: v.mp4}"}},
    {"inference",
     {"{model: playblast, prompt: a, input_video: b, controls: {edge: {weight: 0.5}, depth: {video: c}}, seed: 3, fps: "
      "24}",
      "{model: cosmos-transfer1, prompt: a, controls: {depth: {video: b, weight_map: c.pt}}, sigma_max: 80}",
      "{model: cosmos-transfer1, prompt: a, input_video: b, controls: {edge: {}}, sigma_max: 70, launcher: python}",
      "{model: cosmos-transfer2.5, prompt: a, input_video: b, controls: {edge: {weight: 1}}, guidance: 3, seed: 1}",
      "{model: cosmos-predict2.5, prompt: a, input: b.png, inference_type: image2world}",
      "{model: cosmos-predict2.5, prompt: a, inference_type: text2world}", "{model: command, run: a, prompt: b}"}},
    {"diagnostics", {"{time_limit: 3s, total_time_limit: 2m}", "{}"}},
    {"gpu-monitor", {"{interval: 5s}"}},
    {"log-streamer", {"{mode: poll, poll_interval: 2s, time_limit: 3600}"}},
};

json ValueOf(const std::string& yaml) { return YamlDocument::Parse(yaml, "w.yaml").value(); }

// Calls `look` with `*root`, of which `*part` is a part, changed in one place: replaced by one of many others, left
// out, or with a key more.
void Mutate(json* root, json* part, const std::function<void(const json&)>& look) {
  static const json kOthers = {nullptr,
                               true,
                               0,
                               3,
                               -7,
                               1.5,
                               "",
                               "a",
                               "none",
                               "7",
                               "1h",
                               "/a:/b",
                               "${{ params.a }}",
                               "x ${{ params.a }}",
                               json::array(),
                               json::object(),
                               {"a"},
                               {1},
                               {{"a", "b"}}};
  const json old = *part;
  const auto with = [&](const json& other) {
    *part = other;
    look(*root);
    *part = old;
  };
  if (part != root) std::for_each(kOthers.begin(), kOthers.end(), with);
  if (old.is_object()) {
    for (const auto& [key, element] : old.items()) {
      json without = old;
      without.erase(key);
      with(without);
    }
    json more = old;
    more["unknown"] = 1;
    with(more);
  }
  if (!part->is_structured()) return;
  for (json& element : *part) Mutate(root, &element, look);
}

// Small workflows that have each key, and each stage, of a large one.
std::vector<json> PiecesOf(const json& workflow) {
  const json kSmall = {{"version", 1}, {"stages", {{"a", {{"uses", "noop"}}}}}};
  std::vector<json> pieces;
  for (const auto& [key, value] : workflow.items()) {
    if (key == "stages") continue;
    pieces.push_back(kSmall);
    pieces.back()[key] = value;
  }
  for (const auto& [name, stage] : workflow["stages"].items()) {
    pieces.push_back(kSmall);
    pieces.back()["stages"] = {{name, stage}};
  }
  return pieces;
}

class SchemaTest : public ::testing::Test {
 protected:
  SchemaTest() { sandbox_.SetEnvironment("COSMOS_PLUGIN_PATH="); }  // the plugins that are shipped, and no others
  json Printed(std::vector<std::string> words) const {
    words.insert(words.begin(), "schema");
    const Ended ended = sandbox_.Engine(words);
    EXPECT_EQ(ended.status, 0) << ended.err;
    return json::parse(ended.out);
  }
  // What python-jsonschema says, see json_schema_check.
  json Asked(const json& schema, const std::map<std::string, json>& documents) const {
    sandbox_.Write("work.json", json{{"schema", schema}, {"documents", documents}}.dump());
    const Ended ended = sandbox_.Run({"sh", "-c", "exec " SCHEMA_CHECK " <work.json"});
    EXPECT_EQ(ended.status, 0) << ended.err;
    return ended.status == 0 ? json::parse(ended.out) : json();
  }
  json ParametersOf(const std::string& plugin) const {
    return sandbox_.EngineJson({"plugins", "show", plugin})["parameters"];
  }
  const std::vector<std::vector<std::string>> kAll = {
      {"workflow"}, {"config"}, {"workflow", "--plugins"}, {"config", "--plugins"}, {"inference"}, {"shell"}};

  Sandbox sandbox_;
};

TEST_F(SchemaTest, IsValidForStrictValidators) {
  for (const auto& words : kAll) EXPECT_EQ(Asked(Printed(words), json::object())["schema"], json::array()) << words[0];
  // The engine's own form would not be.
  EXPECT_THAT(Asked(json::parse(WorkflowSchema()), json::object())["schema"].get<std::vector<std::string>>(),
              Contains(HasSubstr("unknown keyword x-expressions")));
}

TEST_F(SchemaTest, TakesAllFormsOfTheLanguageAndAllShippedWorkflows) {
  std::map<std::string, json> forms;
  for (const std::string& text : WorkflowsOfAllForms()) forms["form " + std::to_string(forms.size())] = ValueOf(text);
  std::map<std::string, json> shipped;
  for (const auto& file : std::filesystem::directory_iterator(Sandbox::source() / "workflows")) {
    shipped[file.path().filename()] = ValueOf(sandbox_.Read(file.path()));
  }
  ASSERT_GE(shipped.size(), 7u);
  const auto expect_taken = [&](const json& schema, const std::map<std::string, json>& documents) {
    const json answer = Asked(schema, documents);
    for (const auto& [name, problems] : answer["documents"].items()) EXPECT_EQ(problems, json::array()) << name;
  };
  const json workflow = Printed({"workflow"});
  expect_taken(workflow, forms);
  expect_taken(workflow, shipped);
  expect_taken(Printed({"workflow", "--plugins"}), shipped);
  const std::map<std::string, json> configurations = {{"all forms", ValueOf(kConfigOfAllForms)}, {"nothing", nullptr}};
  expect_taken(Printed({"config"}), configurations);
  expect_taken(Printed({"config", "--plugins"}), configurations);
}

TEST_F(SchemaTest, RefusesWhatValidateRefuses) {
  std::map<std::string, json> documents;
  std::vector<std::string> words = {"validate", "--format", "json"};
  for (const std::string& text : kMistakes) {
    const std::string name = std::to_string(documents.size()) + ".yaml";
    sandbox_.Write(name, text);
    words.push_back(name);
    documents[name] = ValueOf(text);
  }
  const std::string findings = sandbox_.Engine(words).out;
  const json answer = Asked(Printed({"workflow", "--plugins"}), documents);
  for (const auto& [name, document] : documents) {
    EXPECT_THAT(findings, HasSubstr("\"" + name + "\"")) << "validate takes " << document;
    EXPECT_NE(answer["documents"][name], json::array()) << document;
  }
}

// What the engine thinks of a value, and what the schema that it prints.
class Opinions {
 public:
  Opinions(const json& own, const json& printed)
      : own_(SchemaChecker::OfOwn(own)), printed_(SchemaChecker::OfOwn(printed)) {}

  bool Fits(const json& value) const { return printed_.Check(value, Texts::kPlain).empty(); }
  void ExpectAlike(const json& value, std::map<bool, int>* count) const {
    json kept = value;
    KeepTexts(own_.schema(), &kept);
    const SchemaProblems problems = own_.Check(own_.WithDefaults(kept, Texts::kTemplates), Texts::kTemplates);
    EXPECT_EQ(Fits(value), problems.empty()) << value << "\n" << (problems.empty() ? "" : problems[0].message);
    ++(*count)[problems.empty()];
  }

 private:
  SchemaChecker own_;
  SchemaChecker printed_;
};

TEST_F(SchemaTest, IsOfOneOpinionWithTheEngine) {
  std::map<bool, int> count;
  const Opinions of_workflows(json::parse(WorkflowSchema()), Printed({"workflow"}));
  for (const std::string& text : WorkflowsOfAllForms()) {
    for (json& piece : PiecesOf(ValueOf(text))) {
      Mutate(&piece, &piece, [&](const json& mutation) { of_workflows.ExpectAlike(mutation, &count); });
    }
  }
  for (const auto& [plugin, examples] : kParameters) {
    const Opinions of_parameters(ParametersOf(plugin), Printed({plugin}));
    for (const std::string& text : examples) {
      json value = ValueOf(text);
      EXPECT_TRUE(of_parameters.Fits(value)) << text;
      Mutate(&value, &value, [&](const json& mutation) { of_parameters.ExpectAlike(mutation, &count); });
    }
  }
  EXPECT_GT(count[true], 1000);
  EXPECT_GT(count[false], 1000);
}

// Walks all properties of a schema and finds those that nothing describes.
class Undescribed {
 public:
  explicit Undescribed(const json& root) : root_(root) {
    Visit(root, "", {});
    for (const auto& [name, definition] : ObjectIn(root, "definitions").items()) Visit(definition, name, {});
  }
  std::vector<std::string> places;
  int described = 0;

 private:
  // `known`: the properties of the same value that have been described by the schemas around.
  void Visit(const json& schema, const std::string& at, std::set<std::string> known) {
    if (!schema.is_object()) return;
    for (const auto& [name, property] : ObjectIn(schema, "properties").items()) {
      if (property.is_boolean()) continue;  // stands there for `required` alone
      const bool says = IsDescribed(property);
      if (says) known.insert(name);
      described += says;
      if (!known.contains(name)) places.push_back(at + "/" + name);
      Visit(property, at + "/" + name, {});
    }
    for (const char* parts : {"allOf", "anyOf", "oneOf"}) {
      for (const json& part : ListIn(schema, parts)) Visit(part, at, known);
    }
    for (const char* part : {"then", "else"}) Visit(schema.value(part, json(true)), at, known);
    for (const char* part : {"items", "additionalProperties"}) {
      const json element = schema.value(part, json(true));
      const bool has_keys = ObjectIn(Dereferenced(root_, element), "properties").size() > 1;
      if (has_keys && !IsDescribed(element)) places.push_back(at + "/*");
      Visit(element, at + "/*", {});
    }
  }

  bool IsDescribed(const json& schema) const {
    if (!TextIn(schema, "description").empty()) return true;
    return schema.is_object() && schema.contains("$ref") && IsDescribed(Referred(root_, schema));
  }

  const json& root_;
};

TEST_F(SchemaTest, DescribesEveryKey) {
  for (const auto& words : kAll) {
    const json schema = Printed(words);
    const Undescribed found(schema);
    EXPECT_THAT(found.places, IsEmpty()) << words[0];
    EXPECT_GT(found.described, 0);
  }
}

// The schema is made by the build, so that what editors say of the shipped workflows is never out of date.
TEST_F(SchemaTest, ShippedWorkflowsNameTheSchemaThatTheBuildMakes) {
  for (const auto& file : std::filesystem::directory_iterator(Sandbox::source() / "workflows")) {
    EXPECT_THAT(sandbox_.Read(file.path()),
                StartsWith("# yaml-language-server: $schema=../build/workflow.schema.json\n#"))
        << file.path();
  }
  EXPECT_EQ(json::parse(sandbox_.Read(BUILT_SCHEMA)), Printed({"--plugins"}));
}

}  // namespace
}  // namespace cosmos::testing
