// Every key and form of the language, without any expression: what the schema allows must stand in a file that has
// nothing else in it that could let the check look away.

#include <set>

#include "core/json_values.h"
#include "workflow/schema_walk.h"
#include "workflow/workflow_schema.h"
#include "workflow/workflow_test_support.h"
#include "workflow/yaml_document.h"

namespace cosmos {
namespace {

using nlohmann::json;
using testing::IsEmpty;

// Files that have every key and every form of the language between them.
const std::vector<std::string>& Workflows() {
  static const std::vector<std::string> kWorkflows = {
      R"yaml(
version: 1
name: everything
description: what it is for
prompt_name: city
params:
  text: {type: string, default: a, description: what it is, enum: [a, b]}
  count: {type: integer, default: 2, minimum: 1, maximum: 3}
  ratio: {type: number, default: 0.5}
  flag: {type: boolean, default: true}
  words: {type: array, default: [a], items: {type: string, enum: [a]}}
  counts: {type: array, default: [1], items: {type: integer, minimum: 1, maximum: 2}}
  map: {type: object, default: {a: 1}}
  ratios: {type: array, default: [0.5], items: {type: number, minimum: 0.5, maximum: 1}}
  flags: {type: array, default: [true], items: {type: boolean}}
  maps: {type: array, default: [{a: 1}], items: {type: object}}
  lists: {type: array, default: [[1]], items: {type: array}}
  files: {type: array, default: [a.mp4], items: {type: path}}
  file: {type: path, default: a.mp4}
targets:
  here: {local: {}, workdir: /tmp/here, gpus: 0}
  near: {local: }
  far:
    ssh: {host: gpu.example.com, port: 2222, user: me, identity: ~/.ssh/id, known_hosts: ~/.ssh/known, proxy_jump: gate}
    workdir: ~/work
    shared_workdir: true
    gpus: 2
    container:
      image: image:1
      engine: podman
      sudo: true
      shm_size: 8g
      ipc: host
      mounts: ["~/.cache:/root/.cache"]
      env: {HF_HOME: /cache, N: 1, RATIO: 0.5, ON: true}
      workdir: /workspace
      entrypoint: none
      args: [-v]
  alias: {ssh: gpu2, container: {image: "image:2", engine: docker, shm_size: 1000000}}
hooks: {log-streamer: {poll_interval: 2s}, gpu-monitor: }
log: {max_bytes: 100000}
env: {HOME_OF_MODELS: /models}
uses_env: [HOME]
outputs: {text: a, list: [1], map: {a: b}, none: }
secrets: {token: {env: HF_TOKEN}, key: {file: ~/.key}}
stages:
  first: {uses: noop}
  second:
    uses: patient
    with: {run: "true"}
    needs: [first]
    target: far
    matrix: {number: [1, 2.5], text: [a], flag: [true], map: [{a: 1}], list: [[1]]}
    when: true
    env: {A: b}
    prompt_name: second
    retry: {attempts: 2, backoff: 1s, on: [exit_code, killed, timeout, stalled, cancelled, connection_lost, host_rebooted,
            output_missing, output_invalid, cuda_oom, guardrail_blocked, nccl_timeout, checkpoint_missing, disk_full,
            gpu_busy, plugin_error, plugin_crashed, invalid_input], on_oom: [offload, more_gpus, fewer_frames]}
    timeout: 1h30m
    batch: auto
    stall_timeout: 10m
    continue_on_error: true
    resources: {gpus: 1, gpu_busy: wait}
    container: {image: "image:3", env: {A: b}, entrypoint: /bin/sh}
  third: {uses: shell, with: {argv: ["true"]}, needs: first, when: "1 < 2", timeout: 3, stall_timeout: 4, batch: 2,
          matrix: {n: [1, 2], exclude: [{n: 1}], include: [{n: 3, m: 1}], max_parallel: 1, name: x}, resources: {gpu_busy: fail}, container: {image: a, entrypoint: keep}}
  fifth: {uses: noop, matrix: {name: [a, 1, 1.5, true, {a: 1}, [1]]}}
  fourth: {uses: noop, with: , env: , batch: "off", resources: {gpu_busy: ignore}, retry: {backoff: 2}}
diagnostics: false
on_failure:
  - name: tell
    uses: shell
    with: {run: "true"}
    target: here
    when: "true"
    env: {A: b}
    prompt_name: told
    retry: {attempts: 1}
    timeout: 3s
    stall_timeout: 3s
    continue_on_error: false
    resources: {gpus: 0}
    container: {image: a}
on_success: [{uses: noop}]
on_exit: [{uses: noop}]
)yaml",
      "version: 1\nparams:\ntargets:\nhooks: {gpu-monitor: false}\nlog:\nenv:\nuses_env:\noutputs:\nsecrets:\n"
      "stages: {a: {uses: noop}}\ndiagnostics: true\non_failure:\non_success:\non_exit:\n",
      "version: 1\nhooks:\nstages: {a: {uses: noop}}\n"};
  return kWorkflows;
}

const char* const kConfig = R"yaml(
targets:
  far: {ssh: gpu2, container: {image: "image:1", env: {HF_HOME: /cache}}}
hooks: {gpu-monitor: {interval: 5s}}
log: {max_bytes: 100000}
)yaml";

std::string TypeOf(const json& value) {
  return value.is_number_integer() ? "integer" : value.is_number() ? "number" : value.type_name();
}

// The forms of a schema, as `place: form`. `forms` are those that a value took; without a value, all that there are.
class Forms {
 public:
  explicit Forms(const json& root) : root_(root) {}

  // Notes the forms that `value` takes.
  void Take(const json& value) { Visit(root_, &value, ""); }
  // Notes all.
  void TakeAll() { Visit(root_, nullptr, ""); }
  const std::set<std::string>& forms() const { return forms_; }

 private:
  // A definition has the same forms wherever it is referred to.
  void Visit(const json& raw, const json* value, const std::string& at) {
    const json& schema = Dereferenced(root_, raw);
    if (!schema.is_object()) return;
    const std::string place = PlaceOf(raw, at);
    if (value != nullptr) {
      forms_.insert(place + ": " + TypeOf(*value));
      if (value->is_number()) forms_.insert(place + ": number");  // an integer is one as well
      if (schema.contains("enum")) forms_.insert(place + ": " + value->dump());
    } else {
      for (const json& type : TypesOf(schema)) forms_.insert(place + ": " + type.get<std::string>());
      for (const json& word : schema.value("enum", json::array())) forms_.insert(place + ": " + word.dump());
    }
    for (const char* branches : {"oneOf", "anyOf"}) {
      for (const json& branch : schema.value(branches, json::array())) {
        if (value == nullptr || Accepts(branch, *value)) Visit(branch, value, place);
      }
    }
    for (const auto& [name, sub] : ObjectIn(schema, "properties").items()) {
      if (value == nullptr || value->contains(name))
        Visit(sub, value ? &(*value)[name] : nullptr, place + "/properties/" + name);
    }
    const json others = schema.value("additionalProperties", json());
    if (others.is_object()) VisitElements(schema["additionalProperties"], value, place + "/*");
    if (schema.contains("items")) VisitElements(schema["items"], value, place + "/*");
  }

  // The definition that `raw` stands for in the end, or `at`.
  std::string PlaceOf(const json& raw, const std::string& at) const {
    if (!raw.is_object() || !raw.contains("$ref")) return at;
    const std::string reference = raw["$ref"];
    return PlaceOf(root_.at(json::json_pointer(reference.substr(1))), reference);
  }

  static json TypesOf(const json& schema) {
    const json types = schema.value("type", json::array());
    return types.is_array() ? types : json::array({types});
  }

  bool Accepts(const json& branch, const json& value) const {
    const json types = TypesOf(Dereferenced(root_, branch));
    return types.empty() || std::find(types.begin(), types.end(), TypeOf(value)) != types.end();
  }

  void VisitElements(const json& schema, const json* value, const std::string& place) {
    if (value == nullptr) return Visit(schema, nullptr, place);
    if (!value->is_structured()) return;
    for (const json& element : *value) Visit(schema, &element, place);
  }

  const json& root_;
  std::set<std::string> forms_;
};

TEST(LanguageFormsTest, EveryFormStandsWithoutAnExpression) {
  FakePlugins plugins;
  plugins.Add("patient", PluginFacts::Kind::kStage, R"({"x-oom-steps": ["offload", "more_gpus", "fewer_frames"]})");
  for (const std::string& text : Workflows()) {
    EXPECT_THAT(TextsOf(Check(InputOf(text), plugins).findings), IsEmpty()) << text;
  }
  CheckInput input = InputOf("version: 1\nstages: {a: {uses: noop, target: far}}\n");
  input.config_file = "config.yaml";
  input.config_text = kConfig;
  EXPECT_THAT(FindingsOf(input), IsEmpty());
}

TEST(LanguageFormsTest, NoneIsForgotten) {
  const json schema = json::parse(WorkflowSchema());
  Forms all(schema);
  all.TakeAll();
  Forms taken(schema);
  for (const std::string& text : Workflows()) taken.Take(YamlDocument::Parse(text, "w.yaml").value());
  for (const std::string& form : all.forms()) EXPECT_EQ(taken.forms().count(form), 1u) << form;
}

// A file is judged alike whether or not an expression stands somewhere in it.
TEST(LanguageFormsTest, AnExpressionElsewhereChangesNothing) {
  const std::string rest = "stages:\n  a: {uses: shell, with: {run: 'echo ${{ run.id }}'}}\n";
  EXPECT_THAT(FindingsOf("version: 1\nenv: {A: b}\n" + rest), IsEmpty());
  EXPECT_EQ(FindingsOf("version: 1\nenv: {'1': b}\n" + rest),
            std::vector<std::string>{"w.yaml:2:7: '1' in 'env' is not a usable name; use letters, digits and '_'"});
}

}  // namespace
}  // namespace cosmos
