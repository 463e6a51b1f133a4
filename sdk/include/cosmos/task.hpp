// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_TASK_HPP_
#define COSMOS_TASK_HPP_

#include <cosmos/context.hpp>
#include <cosmos/failure.hpp>
#include <cosmos/job_spec.hpp>
#include <cosmos/log_level.hpp>
#include <cosmos/services.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos::sdk {

// One stage instance's attempt while Run or Preview is carried out: what the host does for it. Log, Progress and what
// only looks may be called from any thread, everything else from the thread that called Run or Preview; nothing once
// that has returned.
//
// Errors: every function but Log and Progress throws StageFailure or Cancelled as the host says, and
// std::runtime_error with the host's sentence when the call could not be served. A stage lets them through.
class Task {
 public:
  // For the SDK and for tests. `services` and what `context` points to must outlive the task.
  Task(const Services& services, cosmos_task* task, std::string_view context) noexcept
      : services_(services), task_(task), context_json_(context) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  const Context& context() const {
    if (!context_) context_ = Context::Parse(context_json_);
    return *context_;
  }

  // A line of the run's engine log, and of the stage's own log when it starts no job.
  void Log(LogLevel level, std::string_view text) const noexcept {
    if (services_.log != nullptr) services_.log->write(task_, static_cast<std::int32_t>(level), ToC(text));
  }

  // How far the stage is, in any unit; `total` 0 when unknown. Shown to people, never decides anything.
  void Progress(double done, double total, std::string_view phase = {}) const noexcept {
    if (services_.progress != nullptr) services_.progress->report(task_, done, total, ToC(phase));
  }
  // The same with the seconds that are left, which the host else takes from the rate within the phase; less than 0: not
  // known, and the host makes no guess. An older host is told the rest.
  void Progress(double done, double total, std::string_view phase, double eta_seconds) const noexcept {
    const cosmos_progress_1* progress = services_.progress;
    if (progress != nullptr && progress->struct_size > offsetof(cosmos_progress_1, report_eta)) {
      progress->report_eta(task_, done, total, ToC(phase), eta_seconds);
    } else {
      Progress(done, total, phase);
    }
  }

  // Keeps how long the parts of this job took, for later jobs with the same key; see cosmos_history_1. Without that
  // service nothing is kept, and nothing found.
  void KeepTimings(const Json& key, const Json& timings) {
    if (services_.history == nullptr) return;
    const std::string key_text = Dump(key), timings_text = Dump(timings);
    TextSink error;
    Check(services_.history->keep(task_, ToC(key_text), ToC(timings_text), error.sink()), error.text());
  }

  // The latest few timings with that key, newest first.
  std::vector<Json> FindTimings(const Json& key) {
    if (services_.history == nullptr) return {};
    const std::string text = Dump(key);
    return ParseJson(Ask([&](cosmos_sink result, cosmos_sink error) {
                       return services_.history->find(task_, ToC(text), result, error);
                     }),
                     kOwnJson);
  }

  // Declares a local file as an input of the job and gives the path under which the job finds it on its target.
  std::string Input(std::string_view local_path) {
    return Ask([&](cosmos_sink path, cosmos_sink error) { return Job().input(task_, ToC(local_path), path, error); });
  }

  // The absolute path, on the target, of the folder for the job's outputs; it exists when the job starts.
  std::string OutputFolder() {
    return Ask([&](cosmos_sink path, cosmos_sink error) { return Job().output_folder(task_, path, error); });
  }

  // Runs the attempt's one durable job and returns when its end is known and its outputs are local and checked: an
  // object of output names and absolute local paths. On a resumed run it attaches to the job that is already there, so
  // `spec` must be made from the parameters alone. `on_output` gets the job's log as it grows, in pieces that may split
  // lines and characters. What it throws is logged and ends the calls, for reading a log never decides a job's outcome.
  Json RunJob(const JobSpec& spec, std::function<void(std::string_view bytes)> on_output = nullptr) {
    Reader reader{this, std::move(on_output)};
    TextSink result;
    const std::string text = Dump(spec.ToJson());
    const cosmos_status status =
        Job().run(task_, ToC(text), reader.on_output ? &Reader::Read : nullptr, &reader, result.sink());
    Check(status, result.text());
    return ParseJson(result.text(), kOwnJson).value("outputs", Json::object());
  }

  // Absolute path of this stage's own local folder in this run; it exists.
  std::string Folder() {
    return Ask([&](cosmos_sink path, cosmos_sink error) { return Files().folder(task_, path, error); });
  }

  // Records a file below Folder(), complete by now, as an artifact.
  void AddArtifact(std::string_view path) {
    TextSink error;
    Check(Files().add_artifact(task_, ToC(path), error.sink()), error.text());
  }

  // Keeps a prompt and gives its prompt_id, which depends on text and negative prompt alone. `parent` is the prompt_id
  // of the prompt that this one was made from, or empty.
  std::string PutPrompt(const std::string& text, const std::string& negative_prompt = {},
                        const std::string& parent = {}) {
    const std::string prompt = Dump({{"text", text}, {"negative_prompt", negative_prompt}, {"parent", parent}});
    return Ask([&](cosmos_sink prompt_id, cosmos_sink error) {
      return Required(services_.store, "cosmos.store/1").put_prompt(task_, ToC(prompt), prompt_id, error);
    });
  }

  // --- Looking at runs and their machines; these may be called from any thread while Run is carried out. An older host
  // than 1.3 serves none of them, which throws std::runtime_error.

  struct Output {
    int exit_status = -1;  // -1: not known
    std::string output;    // at most 1 MiB
    std::string errors;    // empty where the target does not tell the two apart
    bool timed_out = false;
  };
  // Runs a short script of /bin/sh on a target of the run; returns within about `milliseconds`, whatever the host does.
  Output RunOnTarget(std::string_view target, std::string_view script, std::int64_t milliseconds) {
    const auto& service = Since13(Required(services_.target, "cosmos.target/1"), &cosmos_target_1::run);
    const Json json = ParseJson(Ask([&](cosmos_sink result, cosmos_sink error) {
                                  return service.run(task_, ToC(target), ToC(script), milliseconds, result, error);
                                }),
                                kOwnJson);
    return {json.value("exit_status", -1), json.value("output", ""), json.value("errors", ""),
            json.value("timed_out", false)};
  }

  // What the engine asked of a target, or of all for an empty name, for a run: the latest, oldest first, as
  // cosmos_target_1 has them.
  Json Commands(std::string_view run_id, std::string_view target, std::int64_t limit) {
    const auto& service = Since13(Required(services_.target, "cosmos.target/1"), &cosmos_target_1::commands);
    return ParseJson(Ask([&](cosmos_sink result, cosmos_sink error) {
                       return service.commands(task_, ToC(run_id), ToC(target), limit, result, error);
                     }),
                     kOwnJson);
  }

  // What is known of a run at this moment, as cosmos_store_1 has it.
  Json FactsOfRun(std::string_view run_id) {
    const auto& service = Since13(Required(services_.store, "cosmos.store/1"), &cosmos_store_1::run);
    return ParseJson(
        Ask([&](cosmos_sink result, cosmos_sink error) { return service.run(task_, ToC(run_id), result, error); }),
        kOwnJson);
  }

  // `text` without the values of the run's secrets.
  std::string Redact(std::string_view text) {
    const auto& service = Since13(Files(), &cosmos_files_1::redact);
    return Ask([&](cosmos_sink result, cosmos_sink error) { return service.redact(task_, ToC(text), result, error); });
  }

  // The containers that the jobs of a run, this one or another, ran in, as far as the engine knows: an array of objects
  // as cosmos_target_1 has them. Empty for a run without containers.
  Json Containers(std::string_view run_id) {
    return ParseJson(
        Ask([&](cosmos_sink result, cosmos_sink error) {
          return Required(services_.target, "cosmos.target/1").containers(task_, ToC(run_id), result, error);
        }),
        kOwnJson);
  }

 private:
  // The receiver of a job's output: keeps exceptions on this side of the ABI.
  struct Reader {
    Task* task;
    std::function<void(std::string_view)> on_output;

    static void Read(void* self, cosmos_str bytes) noexcept {
      auto& reader = *static_cast<Reader*>(self);
      if (!reader.on_output) return;
      try {
        reader.on_output(FromC(bytes));
      } catch (const std::exception& e) {
        reader.GiveUp(e.what());
      } catch (...) {
        reader.GiveUp("an exception of unknown type");
      }
    }

    void GiveUp(const char* why) noexcept {
      on_output = nullptr;
      task->Log(LogLevel::kWarning, "the plugin could not read the job's log and stopped reading; the job goes on:");
      task->Log(LogLevel::kWarning, why);
    }
  };

  template <class Service>
  static const Service& Required(const Service* service, const char* id) {
    if (service == nullptr) {
      throw std::logic_error(std::string("the plugin uses the service '") + id +
                             "', which its description does not require");
    }
    return *service;
  }

  // The service, when it is new enough to have the function.
  template <class Service, class Function>
  static const Service& Since13(const Service& service, Function Service::*function) {
    const auto offset = reinterpret_cast<const char*>(&(service.*function)) - reinterpret_cast<const char*>(&service);
    if (static_cast<std::ptrdiff_t>(service.struct_size) > offset) return service;
    throw std::runtime_error("the host is older than SDK 1.3 and cannot do what the plugin asks; use a newer engine");
  }

  const cosmos_job_1& Job() const { return Required(services_.job, "cosmos.job/1"); }
  const cosmos_files_1& Files() const { return Required(services_.files, "cosmos.files/1"); }

  // Throws what `status` and `text` of a service say; returns when it is COSMOS_OK.
  static void Check(cosmos_status status, const std::string& text) {
    if (status == COSMOS_OK) return;
    if (status == COSMOS_CANCELLED) throw Cancelled();
    if (status == COSMOS_FAILED) {
      Json failure = TryParseJson(text, kOwnJson);
      throw StageFailure(failure.is_discarded() ? Json{{"message", text}} : std::move(failure));
    }
    throw std::runtime_error(text.empty() ? "the host could not serve a call and gave no reason" : text);
  }

  template <class Call>
  static std::string Ask(Call call) {
    TextSink answer;
    TextSink error;
    Check(call(answer.sink(), error.sink()), error.text());
    return answer.text();
  }

  const Services& services_;
  cosmos_task* task_;
  std::string_view context_json_;
  mutable std::optional<Context> context_;  // parsed when first asked for; most stages never ask
};

}  // namespace cosmos::sdk

#endif  // COSMOS_TASK_HPP_
