// SPDX-License-Identifier: BSL-1.0
#include "testing/fake_host.h"

#include <dlfcn.h>
#include <sys/wait.h>

#include <cosmos/shell_quote.hpp>
#include <cosmos/text.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "testing/fake_run.h"

namespace cosmos::sdk::testing {
namespace {

namespace fs = std::filesystem;

FakeHost& Self(cosmos_task* task) { return *reinterpret_cast<FakeHost*>(task); }

void FillDefaults(const Json& schema, Json& value) {
  if (!value.is_object() || !schema.contains("properties")) return;
  for (const auto& [key, property] : schema.at("properties").items()) {
    if (!value.contains(key) && property.contains("default")) value[key] = property.at("default");
    if (value.contains(key)) FillDefaults(property, value[key]);
  }
  if (!schema.contains("discriminator")) return;
  const std::string chooser = schema.at("discriminator").at("propertyName");
  for (const Json& branch : schema.at("oneOf")) {
    if (value.value(chooser, Json()) == branch.at("properties").at(chooser).at("const")) FillDefaults(branch, value);
  }
}

}  // namespace

// The services of the C ABI. The task is the fake host itself.
struct FakeHost::Calls {
  static void Log(cosmos_task* task, std::int32_t level, cosmos_str text) {
    Self(task).log.push_back({level, std::string(FromC(text))});
  }

  static void Progress(cosmos_task* task, double done, double total, cosmos_str phase) {
    Self(task).progress.push_back({done, total, std::string(FromC(phase))});
  }

  static void ProgressWithEta(cosmos_task* task, double done, double total, cosmos_str phase, double eta) {
    Self(task).progress.push_back({done, total, std::string(FromC(phase)), eta, true});
  }

  static cosmos_status KeepTimings(cosmos_task* task, cosmos_str key, cosmos_str timings, cosmos_sink) {
    auto& kept = Self(task).history[std::string(FromC(key))];
    kept.insert(kept.begin(), Json::parse(FromC(timings)));
    return COSMOS_OK;
  }

  static cosmos_status FindTimings(cosmos_task* task, cosmos_str key, cosmos_sink result, cosmos_sink) {
    Write(result, Dump(Self(task).history[std::string(FromC(key))]));
    return COSMOS_OK;
  }

  static cosmos_status Input(cosmos_task* task, cosmos_str local_path, cosmos_sink path, cosmos_sink error) {
    const std::string local(FromC(local_path));
    // Of a pattern, the folder is looked for; the names are not matched.
    const fs::path path_of_it(local);
    const bool pattern = path_of_it.filename().string().find_first_of("*?#%$") != std::string::npos;
    if (!Self(task).previewing_ && !fs::exists(local) && !(pattern && fs::exists(path_of_it.parent_path()))) {
      Write(error, R"({"kind": "invalid_input", "message": "no such file"})");
      return COSMOS_FAILED;
    }
    Write(path, local);
    return COSMOS_OK;
  }

  static cosmos_status OutputFolder(cosmos_task* task, cosmos_sink path, cosmos_sink) {
    Write(path, Self(task).output_folder().string());
    return COSMOS_OK;
  }

  static cosmos_status RunJob(cosmos_task* task, cosmos_str spec, void (*on_output)(void*, cosmos_str), void* self,
                              cosmos_sink result) {
    return Self(task).RunJob(Json::parse(FromC(spec)), on_output, self, result);
  }

  static cosmos_status Folder(cosmos_task* task, cosmos_sink path, cosmos_sink) {
    const fs::path folder = Self(task).folder_ / "own";
    fs::create_directories(folder);
    Write(path, folder.string());
    return COSMOS_OK;
  }

  static cosmos_status AddArtifact(cosmos_task* task, cosmos_str path, cosmos_sink error) {
    if (!fs::is_regular_file(FromC(path))) {
      Write(error, "no such artifact");
      return COSMOS_ERROR;
    }
    Self(task).artifacts.emplace_back(FromC(path));
    return COSMOS_OK;
  }

  static cosmos_status PutPrompt(cosmos_task* task, cosmos_str prompt, cosmos_sink prompt_id, cosmos_sink) {
    Self(task).prompts.push_back(Json::parse(FromC(prompt)));
    Write(prompt_id, "ps_" + std::to_string(Self(task).prompts.size()));
    return COSMOS_OK;
  }

  static cosmos_status Containers(cosmos_task* task, cosmos_str run_id, cosmos_sink result, cosmos_sink error) {
    const auto found = Self(task).containers.find(std::string(FromC(run_id)));
    if (found == Self(task).containers.end()) {
      Write(error, "no such run");
      return COSMOS_ERROR;
    }
    Write(result, Dump(found->second));
    return COSMOS_OK;
  }

  static cosmos_status RunOnTarget(cosmos_task* task, cosmos_str target, cosmos_str script, std::int64_t milliseconds,
                                   cosmos_sink result, cosmos_sink error) {
    const auto& targets = Self(task).targets;
    const auto found = targets.find(std::string(FromC(target)));
    try {
      if (found == targets.end()) throw std::runtime_error("the target cannot be reached");
      Write(result, Dump(found->second(std::string(FromC(script)), milliseconds)));
      return COSMOS_OK;
    } catch (const std::exception& e) {
      Write(error, Dump({{"kind", "connection_lost"}, {"message", e.what()}}));
      return COSMOS_FAILED;
    }
  }

  static cosmos_status Give(const std::map<std::string, Json>& all, cosmos_str run_id, cosmos_sink result,
                            cosmos_sink error) {
    const auto found = all.find(std::string(FromC(run_id)));
    if (found == all.end()) {
      Write(error, "no such run");
      return COSMOS_ERROR;
    }
    Write(result, Dump(found->second));
    return COSMOS_OK;
  }

  static cosmos_status Commands(cosmos_task* task, cosmos_str run_id, cosmos_str, std::int64_t, cosmos_sink result,
                                cosmos_sink error) {
    return Give(Self(task).commands, run_id, result, error);
  }

  static cosmos_status FactsOfRun(cosmos_task* task, cosmos_str run_id, cosmos_sink result, cosmos_sink error) {
    return Give(Self(task).runs, run_id, result, error);
  }

  static cosmos_status Redact(cosmos_task* task, cosmos_str text, cosmos_sink result, cosmos_sink) {
    std::string redacted(FromC(text));
    for (const std::string& secret : Self(task).secrets) {
      for (std::size_t at = redacted.find(secret); at != redacted.npos; at = redacted.find(secret)) {
        redacted.replace(at, secret.size(), "***");
      }
    }
    Write(result, redacted);
    return COSMOS_OK;
  }

  static const void* Service(const cosmos_host* host, cosmos_str id) {
    static constexpr cosmos_log_1 kLog = {sizeof(kLog), &Log};
    static constexpr cosmos_progress_1 kProgress = {sizeof(kProgress), &Progress, &ProgressWithEta};
    static constexpr cosmos_job_1 kJob = {sizeof(kJob), &Input, &OutputFolder, &RunJob};
    static constexpr cosmos_files_1 kFiles = {sizeof(kFiles), &Folder, &AddArtifact, &Redact};
    static constexpr cosmos_store_1 kStore = {sizeof(kStore), &PutPrompt, &FactsOfRun};
    static constexpr cosmos_target_1 kTarget = {sizeof(kTarget), &Containers, &RunOnTarget, &Commands};
    static constexpr cosmos_history_1 kHistory = {sizeof(kHistory), &KeepTimings, &FindTimings};
    const std::string name(FromC(id));
    if (reinterpret_cast<const CHost*>(host)->self->missing_services.count(name) != 0) return nullptr;
    if (name == "cosmos.log/1") return &kLog;
    if (name == "cosmos.progress/1") return &kProgress;
    if (name == "cosmos.job/1") return &kJob;
    if (name == "cosmos.files/1") return &kFiles;
    if (name == "cosmos.store/1") return &kStore;
    if (name == "cosmos.target/1") return &kTarget;
    if (name == "cosmos.history/1") return &kHistory;
    return FakeRun::Service(name);
  }
};

FakeHost::FakeHost() : host_{{sizeof(cosmos_host), COSMOS_SDK_MAJOR, COSMOS_SDK_MINOR, &Calls::Service}, this} {
  std::string name = (fs::temp_directory_path() / "cosmos-plugin-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  folder_ = name;
  fs::create_directories(output_folder());
  context = {{"run_id", "rs_00000000000000000000000000000001"},
             {"workflow", "test"},
             {"prompt_name", "test"},
             {"prompt_id", "ps_0"},
             {"operation_id", "op_00000000000000000000000000000001"},
             {"stage", "stage"},
             {"instance", ""},
             {"attempt", 1}};
}

FakeHost::~FakeHost() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

FakeHost::Result FakeHost::Init(const cosmos_plugin_entry_t& entry) {
  TextSink error;
  const cosmos_status status = entry.init(host(), error.sink());
  return {status, nullptr, error.text()};
}

FakeHost::Result FakeHost::Run(const cosmos_plugin_entry_t& entry, const Json& parameters) {
  return Call(entry, parameters, false);
}

FakeHost::Result FakeHost::Preview(const cosmos_plugin_entry_t& entry, const Json& parameters) {
  return Call(entry, parameters, true);
}

FakeHost::Result FakeHost::Call(const cosmos_plugin_entry_t& entry, const Json& parameters, bool preview) {
  Result started = Init(entry);
  if (started.status != COSMOS_OK) return started;
  TextSink error;
  void* instance = entry.create(error.sink());
  if (instance == nullptr) return {COSMOS_ERROR, nullptr, error.text()};
  TextSink result;
  previewing_ = preview;
  const std::string context_text = context.dump();
  const std::string parameters_text = Completed(entry, parameters).dump();
  const cosmos_status status = (preview ? entry.preview : entry.run)(
      instance, reinterpret_cast<cosmos_task*>(this), ToC(context_text), ToC(parameters_text), result.sink());
  entry.destroy(instance);
  Json json = Json::parse(result.text(), nullptr, false);
  return {status, json.is_discarded() ? Json() : json, result.text()};
}

cosmos_status FakeHost::RunJob(const Json& spec, void (*on_output)(void*, cosmos_str), void* self, cosmos_sink result) {
  specs.push_back(spec);
  if (job_status != COSMOS_OK) {
    Write(result, job_result);
    return job_status;
  }

  const Json files = spec.value("files", Json::object());
  for (const auto& [name, file] : files.items()) {
    const fs::path path = output_folder() / file.at("path").get<std::string>();
    fs::create_directories(path.parent_path());
    std::ofstream(path) << file.at("text").get<std::string>();
    artifacts.push_back(path.string());
  }
  const fs::path script = folder_ / "job.sh";
  std::ofstream(script) << (spec.contains("argv") ? ShellJoin(spec.at("argv").get<std::vector<std::string>>())
                                                  : spec.at("script").get<std::string>());
  std::vector<std::string> command = {"env", "COSMOS_OUTPUT_DIR=" + output_folder().string()};
  for (const auto& [name, value] : spec.at("env").items()) command.push_back(name + "=" + value.get<std::string>());
  command.insert(command.end(), {"/bin/sh", script.string()});
  FILE* pipe =
      popen(("cd " + ShellQuote(folder_.string()) + " && exec 2>&1 </dev/null " + ShellJoin(command)).c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen failed");
  std::string bytes(piece, '\0');
  while (const std::size_t count = std::fread(bytes.data(), 1, bytes.size(), pipe)) {
    job_log_.append(bytes, 0, count);
    if (on_output != nullptr) on_output(self, {bytes.data(), count});
  }
  const int status = pclose(pipe);
  if (status != 0) {
    Write(result,
          Dump({{"kind", "exit_code"}, {"message", "the job ended with " + std::to_string(WEXITSTATUS(status))}}));
    return COSMOS_FAILED;
  }

  Json outputs = Json::object();
  for (const auto& [name, output] : spec.at("outputs").items()) {
    const fs::path file = output_folder() / output.at("path").get<std::string>();  // an absolute path stays as it is
    const std::string kind = output.value("kind", "file");
    // As for inputs.
    if (fs::exists(kind == "files" || kind == "frames" ? file.parent_path() : file)) {
      outputs[name] = file.string();
    } else if (!output.at("optional").get<bool>()) {
      Write(result, Dump({{"kind", "output_missing"}, {"message", "there is no " + file.string()}}));
      return COSMOS_FAILED;
    }
  }
  Write(result, Dump({{"outputs", outputs}}));
  return COSMOS_OK;
}

FakeHost::Answer FakeHost::Shell(std::map<std::string, std::string> environment) {
  return [environment](const std::string& script, std::int64_t milliseconds) -> Json {
    std::vector<std::string> command = {"env"};
    for (const auto& [name, value] : environment) command.push_back(name + "=" + value);
    command.insert(command.end(), {"timeout", "-s", "KILL", std::to_string(static_cast<double>(milliseconds) / 1000),
                                   "/bin/sh", "-c", script});
    FILE* pipe = popen(("exec 2>&1 </dev/null " + ShellJoin(command)).c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("popen failed");
    std::string output;
    char bytes[4096];
    while (const std::size_t count = std::fread(bytes, 1, sizeof(bytes), pipe)) output.append(bytes, count);
    const int status = pclose(pipe);
    const bool killed = (WIFSIGNALED(status) && WTERMSIG(status) == 9) || WEXITSTATUS(status) == 128 + 9;
    return {{"exit_status", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)},
            {"output", output},
            {"errors", ""},
            {"timed_out", killed}};
  };
}

std::string FakeHost::LogText() const {
  std::string text;
  for (const LogLine& line : log) text += line.text + "\n";
  return text;
}

Json Describe(const cosmos_plugin_entry_t& entry) {
  TextSink description;
  TextSink error;
  if (entry.describe(description.sink(), error.sink()) != COSMOS_OK) throw std::runtime_error(error.text());
  return Json::parse(description.text());
}

Json Completed(const cosmos_plugin_entry_t& entry, const Json& parameters) {
  Json complete = parameters;
  FillDefaults(Describe(entry).at("parameters"), complete);
  return complete;
}

const cosmos_plugin_entry_t& LoadPlugin(const fs::path& file) {
  void* library = dlopen(fs::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  const void* entry = dlsym(library, "cosmos_plugin_entry");
  if (entry == nullptr) throw std::runtime_error(dlerror());
  return *static_cast<const cosmos_plugin_entry_t*>(entry);
}

std::string Shell(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen failed");
  std::string output;
  char bytes[4096];
  while (const std::size_t count = std::fread(bytes, 1, sizeof(bytes), pipe)) output.append(bytes, count);
  if (pclose(pipe) != 0) throw std::runtime_error("failed: " + command + "\n" + output);
  while (!output.empty() && output.back() == '\n') output.pop_back();
  return output;
}

}  // namespace cosmos::sdk::testing
