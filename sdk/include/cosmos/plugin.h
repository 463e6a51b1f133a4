/* SPDX-License-Identifier: BSL-1.0
 *
 * The contract between cosmos-engine and its plugins, in plain C99. C++ authors use cosmos/plugin.hpp, which wraps it.
 *
 * A plugin is a shared object with one exported symbol, `cosmos_plugin_entry`. Only integers, {pointer, size} texts,
 * opaque handles and function pointers cross; parameters, outputs and events cross as JSON in UTF-8.
 *
 * Rules that hold for every function:
 *  - Threads: [engine] the engine's main thread; [worker] any one worker thread at a time per instance; [any] any
 * thread.
 *  - Texts passed in are valid until the function returns, are not NUL-terminated, and belong to the caller. Texts are
 *    passed back by calling a cosmos_sink, which copies; so nobody ever frees the other side's memory.
 *  - No exception and no longjmp may cross. A function that cannot do its work says why through its `error` sink.
 *  - Structs grow only at their tail, and `struct_size` tells how much of one is there: read no field beyond it.
 *  - A plugin is never unloaded, and its functions may be called from different threads one after another.
 */
#ifndef COSMOS_PLUGIN_H_
#define COSMOS_PLUGIN_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A plugin is loaded when its major equals the host's and its minor is at most the host's. */
#define COSMOS_SDK_MAJOR 1
#define COSMOS_SDK_MINOR 4

typedef struct cosmos_str {
  const char* data;
  size_t size;
} cosmos_str;

/* Where a callee puts a text: it calls write(self, text) at most once, before it returns. */
typedef struct cosmos_sink {
  void* self;
  void (*write)(void* self, cosmos_str text);
} cosmos_sink;

typedef int32_t cosmos_status;
enum {
  COSMOS_OK = 0,
  COSMOS_FAILED = 1,   /* the work was tried and failed; the sink got a failure, see `run` */
  COSMOS_ERROR = 2,    /* the call was wrong or could not be served; the sink got a sentence */
  COSMOS_CANCELLED = 3 /* given up because the stage was cancelled or timed out */
};

/* One stage instance's attempt while it is carried out. Opaque; valid during `run` and `preview` only. */
typedef struct cosmos_task cosmos_task;

/* One run, as a hook sees it. Opaque; valid from `attach` until `stop` has returned. Since 1.1. */
typedef struct cosmos_run cosmos_run;

/* ---- Services of the host ------------------------------------------------------------------------------------------
 * Asked for by id and version, such as "cosmos.log/1". What the description lists as required is always there; what it
 * lists as optional may be NULL. Valid from `init` until the process ends. */

enum { COSMOS_LOG_DEBUG = 0, COSMOS_LOG_INFO = 1, COSMOS_LOG_WARNING = 2, COSMOS_LOG_ERROR = 3 };

/* "cosmos.log/1": lines of the plugin, written with run_id and stage to the run's engine log; a stage that starts no
 * job also finds them in its own log. */
typedef struct cosmos_log_1 {
  uint32_t struct_size;
  void (*write)(cosmos_task* task, int32_t level, cosmos_str text); /* [any] */
} cosmos_log_1;

/* "cosmos.progress/1": how far the stage is. Shown to people, published as an event, never decides anything. */
typedef struct cosmos_progress_1 {
  uint32_t struct_size;
  /* done and total in any unit; total <= 0 when unknown. phase may be empty. [any] */
  void (*report)(cosmos_task* task, double done, double total, cosmos_str phase);
  /* The same with the seconds that are left, which the host otherwise takes from the rate within the phase; less than
   * 0: not known, and the host makes no guess. [any] Since 1.2. */
  void (*report_eta)(cosmos_task* task, double done, double total, cosmos_str phase, double eta_seconds);
} cosmos_progress_1;

/* "cosmos.job/1": one durable job on the stage's target. A stage may run one job per attempt. When a run is resumed the
 * engine calls the plugin's `run` again, and `run` of this service attaches to the job that is already there; so a
 * plugin must build its job from its parameters alone. */
typedef struct cosmos_job_1 {
  uint32_t struct_size;
  /* Declares a local file (absolute, or relative to the working folder) as an input, and gives the path under which the
   * job will find it on its target. The path may be that of a folder; since 1.4 its name may also be a pattern, `*.exr`
   * or `beauty.####.exr` (`%04d`, `$F4`), which stands for the files that match it: they are in a folder of their own
   * there. Fails when there is no such file, except during `preview`. [worker] */
  cosmos_status (*input)(cosmos_task* task, cosmos_str local_path, cosmos_sink path, cosmos_sink error);
  /* Absolute path, on the target, of the folder for the job's outputs ($COSMOS_OUTPUT_DIR). It exists when the job
   * starts. [worker] */
  cosmos_status (*output_folder)(cosmos_task* task, cosmos_sink path, cosmos_sink error);
  /* Runs the job and blocks until its end is known and its outputs are local and checked. `spec` is
   *   {"argv": [text…]} or {"script": text for /bin/sh},
   *   "env": {NAME: text},
   *   "outputs": {NAME: {"path": relative to the output folder or absolute, "kind": "file" | "video" or, since 1.4, for
   *                      several files that are one output, "folder" | "files" | "frames", "optional": bool,
   *                      "frames": text, that a sequence must have, "gaps": whether it may have some, since 1.4,
   *                      "expect": {"as_long_as": [local videos, the shortest counts],
   *                                 "frames": so many, with as_long_as at most so many,
   *                                 "size_of": local video, "sizes": [[width, height]…, the nearest in shape
   * counts]}}}, "files": {NAME: {"path": relative to the output folder, "text": …}}, which stand there when the job
   * starts and are kept as artifacts whatever becomes of it,
   *   "inputs": {NAME: {"path": as `input` was given it, "frames": as above, "gaps": as above}}, whose files are looked
   * at when the job is about to start, since 1.4, and "needs": {"videos": [{"parameter": its name, "path": a local
   * video that must decode}…], "alike": whether they must have as many frames as the first, and its shape, "sizes":
   * [[width, height]…] that the model works in, of which it takes the nearest in shape, "folder": on the target; empty:
   * where the job starts, "files": [paths there, or absolute…], "files_hint": how to get them, "programs": [names…],
   * "gpu_memory_gb": free on each of the stage's GPUs, "history": the key of cosmos.history/1 under which jobs like it
   * are kept, whose GPUs tell better, "driver": NVIDIA's oldest that will do, "disk_gb": free where the job works,
   * "download": {"folder": where the job keeps what it downloads; empty: "folder" above, "variable": of its environment
   * that names another, "path": below it, there once it was downloaded, "gb": how much, 0: not known}}, which the
   * engine looks at before it executes anything of a run, as `preview` gives it; `run` may leave it out. `expect` (of a
   * video), `files` and `needs` since 1.2; what is left out, 0 or empty in them is not looked at. `on_output` (may be
   * NULL) gets the job's log as it grows, in order, each byte once, in pieces that may split lines and characters, on
   * the calling thread. COSMOS_OK: `result` gets {"outputs": {NAME: absolute local path}}. COSMOS_FAILED: `result` gets
   * a failure, see cosmos_plugin_entry_t.run. COSMOS_CANCELLED: the job has ended or been ended. [worker] */
  cosmos_status (*run)(cosmos_task* task, cosmos_str spec, void (*on_output)(void* self, cosmos_str bytes), void* self,
                       cosmos_sink result);
} cosmos_job_1;

/* "cosmos.files/1": the local files of stages that need no job. */
typedef struct cosmos_files_1 {
  uint32_t struct_size;
  /* Absolute path of this stage's own local folder in this run; it exists. [worker] */
  cosmos_status (*folder)(cosmos_task* task, cosmos_sink path, cosmos_sink error);
  /* Records a file below that folder, complete by now, as an artifact with size and SHA-256. [worker] */
  cosmos_status (*add_artifact)(cosmos_task* task, cosmos_str path, cosmos_sink error);
  /* Gives `text` with the values of the run's secrets replaced by "***", also in the forms in which they stand within
   * JSON, and line by line. For files about a run; what a job prints is masked by the host anyway. [any] Since 1.3. */
  cosmos_status (*redact)(cosmos_task* task, cosmos_str text, cosmos_sink result, cosmos_sink error);
} cosmos_files_1;

/* "cosmos.store/1": records. */
typedef struct cosmos_store_1 {
  uint32_t struct_size;
  /* Keeps a prompt {"text": …, "negative_prompt": …, "parent": prompt_id or ""} and gives its prompt_id, which depends
   * on text and negative prompt alone; keeping the same prompt again changes nothing. [worker] */
  cosmos_status (*put_prompt)(cosmos_task* task, cosmos_str prompt, cosmos_sink prompt_id, cosmos_sink error);
  /* Gives what is known of a run, this one or another, at this moment: the object that `cosmos-engine show RUN_ID
   * --format json` prints, and in it {"params": as they were resolved, "workflow_text", "targets": {NAME: as the
   * workflow has it, resolved}, "engine_log": path of the run's engine log, "secrets": [their names],
   * "secrets_unknown": [of those, the ones whose values cannot be read here, so that `redact` does not find them],
   * "versions": {"engine", "sdk", "plugins": {ID: version, of those the run uses}}}. What the run's folder no longer
   * tells is null. Secrets are masked. [any] Since 1.3. */
  cosmos_status (*run)(cosmos_task* task, cosmos_str run_id, cosmos_sink result, cosmos_sink error);
} cosmos_store_1;

/* "cosmos.history/1": how long the parts of earlier jobs took, so that a stage can tell what is left of this one. Keys
 * and timings are JSON objects of the plugin's own; the key holds what the duration depends on (model, size, frames,
 * steps), and the host adds the plugin, the stage's target and its GPUs. `video` in a key, when there is one, is what
 * is expected of the video that the job makes, as `expect` of an output of cosmos_job_1; the host puts {"frames",
 * "width", "height"} in its place, with 0 for what it does not tell (an older host than 1.3 leaves it as it is).
 * Since 1.2. */
typedef struct cosmos_history_1 {
  uint32_t struct_size;
  /* Keeps what was measured of a job that did its work. Of each key only the latest stay. Nothing is kept of an attempt
   * that an earlier engine began (`resumed` in its context), as its log comes late. [worker] */
  cosmos_status (*keep)(cosmos_task* task, cosmos_str key, cosmos_str timings, cosmos_sink error);
  /* `result` gets an array of the latest few timings that were kept with this key, newest first. [worker] */
  cosmos_status (*find)(cosmos_task* task, cosmos_str key, cosmos_sink result, cosmos_sink error);
} cosmos_history_1;

/* "cosmos.target/1": what the engine knows of the machines that jobs run on. Since 1.1. */
typedef struct cosmos_target_1 {
  uint32_t struct_size;
  /* The containers of a run, this one or another, as a JSON array of {"stage", "instance", "attempt", "target",
   * "engine", "sudo", "name", "id", "image", "status", "exit_status", "oom_killed", "started_at", "ended_at"}; what is
   * not known is null. Status: "running", "exited", "removed". `sudo` (whether the engine is called with it) since 1.3.
   * [worker] */
  cosmos_status (*containers)(cosmos_task* task, cosmos_str run_id, cosmos_sink result, cosmos_sink error);
  /* Runs a short script of /bin/sh on a target of the run, beside its jobs and on a connection of its own. `result`
   * gets
   * {"exit_status": -1 when it is not known, "output": stdout, at most 1 MiB, "errors": stderr, where the target tells
   * the two apart, "timed_out": it was killed after so many milliseconds, with what it had printed}; bytes that are no
   * UTF-8 become U+FFFD. Returns within about that time, whatever the host does: one that cannot be reached is not
   * waited for, and is not tried again by this attempt. COSMOS_FAILED, with a failure of kind connection_lost or
   * invalid_input, when it was not reached or refuses the engine. [any] Since 1.3. */
  cosmos_status (*run)(cosmos_task* task, cosmos_str target, cosmos_str script, int64_t milliseconds,
                       cosmos_sink result, cosmos_sink error);
  /* What the engine asked of a target (of all, when `target` is empty) for a run, this one or another: the latest, at
   * most `limit`, oldest first, as a JSON array of {"time", "target", "operation", "what", "outcome": "ok" | "failed" |
   * "timed_out" | "error", "exit_status", "duration": seconds} and, where there is one, "kind" and "error" of the error
   * and "repeated": how often the same was asked meanwhile. Secrets are masked. [any] Since 1.3. */
  cosmos_status (*commands)(cosmos_task* task, cosmos_str run_id, cosmos_str target, int64_t limit, cosmos_sink result,
                            cosmos_sink error);
} cosmos_target_1;

/* "cosmos.run/1": what a hook may ask of its run. Since 1.1. */
typedef struct cosmos_run_1 {
  uint32_t struct_size;
  /* A line of the hook in the run's engine log. [any] */
  void (*log)(cosmos_run* run, int32_t level, cosmos_str text);
} cosmos_run_1;

/* "cosmos.job_log/1": for hooks that bring the logs of jobs from their targets to the local log files while the jobs
 * run. When a job has ended the engine brings the rest itself, and checks the whole; so a hook may fail or be slow
 * without harm. `job` names a job of the run as STAGE[.INSTANCE]/ATTEMPT, of the events job_submitted and job_attached.
 * A log is open before its event is told and closed once its job has ended; all are closed when `stop` is called, and a
 * job that is not known counts as closed. Positions are bytes of the job's own log. Everything here may be called from
 * any thread. Since 1.1. */
typedef struct cosmos_job_log_1 {
  uint32_t struct_size;
  /* The position behind the last byte that is local; -1 when there is nothing to bring: the log is closed, or the local
   * file is the job's own. */
  int64_t (*position)(cosmos_run* run, cosmos_str job);
  /* Asks the target for bytes from `position` on, at most `limit`; less (at a limit of 1 MiB at the
   * most): there are no more yet. COSMOS_CANCELLED: the log is closed. Asks again by itself while the target cannot be
   * reached. When the log was truncated or replaced, which is said in the local log, it gives no bytes and position()
   * begins anew. */
  cosmos_status (*read)(cosmos_run* run, cosmos_str job, int64_t position, size_t limit, cosmos_sink bytes,
                        cosmos_sink error);
  /* Passes the bytes from `position` on as they are written, each piece with its own position, on the calling thread;
   * blocks. COSMOS_OK: the connection was lost or the log changed; go on at position(). COSMOS_FAILED: the target has
   * no channel to spare at the moment; read() meanwhile. COSMOS_CANCELLED: the log is closed. `on_bytes` returns 0 to
   * end it, which counts as COSMOS_OK. */
  cosmos_status (*follow)(cosmos_run* run, cosmos_str job, int64_t position,
                          int32_t (*on_bytes)(void* self, int64_t position, cosmos_str bytes), void* self,
                          cosmos_sink error);
  /* Writes bytes that stand at `position` of the job's log to the local log, and tells of them by log_available. What
   * is local already is left out, and so is everything once the log is closed; bytes beyond position() are refused
   * (COSMOS_ERROR). */
  cosmos_status (*append)(cosmos_run* run, cosmos_str job, int64_t position, cosmos_str bytes, cosmos_sink error);
  /* Waits until the log is closed, at most so many milliseconds. 1 when it is closed. */
  int32_t (*wait)(cosmos_run* run, cosmos_str job, int64_t milliseconds);
} cosmos_job_log_1;

/* "cosmos.gpu/1": the GPUs of the targets of a hook's run. Everything here may be called from any thread. Since 1.3. */
typedef struct cosmos_gpu_1 {
  uint32_t struct_size;
  /* What a target's nvidia-smi tells, not more than `longest_age` milliseconds ago, as a JSON object {"present":
   * whether there is an nvidia-smi, "driver", "gpus": [{"index", "uuid", "name", "utilization": 0 to 1, "memory_used",
   * "memory_total", "memory_free": bytes, "temperature": degrees Celsius, "power": watts, "sm_clock", "memory_clock":
   * MHz, "mig", "fault": why it does not work, null when it does}…], "processes": [{"gpu_uuid", "pid", "name",
   * "memory": bytes, "user"}…], "problem": what is wrong, a sentence}; null for what is not told. With `details` != 0
   * the target is always asked, also for "cuda", the newest version that its driver knows, and "mig_devices": [{"gpu",
   * "profile", "uuid"}…]. `target` is a name of events. However many ask, of however many runs, the target is asked
   * once within the age. Blocks, also while the target cannot be reached. */
  cosmos_status (*read)(cosmos_run* run, cosmos_str target, int64_t longest_age, int32_t details, cosmos_sink reading,
                        cosmos_sink error);
  /* Keeps `gpus`, an array of objects such as `read` gives, as a sample of what the GPUs of a job did just now: in the
   * run's series, in what `show` sums up, and as the event gpu_sample. `job` as for cosmos.job_log/1. */
  cosmos_status (*keep)(cosmos_run* run, cosmos_str job, cosmos_str target, cosmos_str gpus, cosmos_sink error);
} cosmos_gpu_1;

typedef struct cosmos_host {
  uint32_t struct_size;
  uint16_t sdk_major;
  uint16_t sdk_minor;
  /* The service of that id, or NULL. [any] */
  const void* (*service)(const struct cosmos_host* host, cosmos_str id);
} cosmos_host;

/* ---- The plugin ----------------------------------------------------------------------------------------------------
 * `describe` gives {
 *   "id": "my-stage",  "kind": "stage" | "hook",  "version": "1.2.0",  "summary": one sentence,
 *   "parameters": a JSON Schema (draft 7) of `with:` (for a hook: of its entry below `hooks:`). A text property with
 *                 "format": "input-file" names local files, which must exist when the workflow is checked, and one with
 *                 "format": "input-path" (since 1.4) a local file, folder or pattern; defaults are filled in from the
 *                 schema before the plugin sees its parameters,
 *   "outputs": a JSON Schema of a stage's outputs, whose properties expressions may refer to,
 *   "outputs_from": optional; the name of an object parameter whose keys are further outputs,
 *   "prompt_name": "workflow" when the stage's default prompt_name is the workflow's name, else "stage",
 *   "folder": optional; a template of the folder below the output folder for artifacts and logs, "{prompt_name}" unless
 *             given, such as "{prompt_name}_upscaled"; {prompt_id} is the prompt's (since 1.3),
 *   "log": "run" (logs/run_{run_id}.log) or "operation" (logs/{operation_id}.log, an ID begins with op_),
 *   "events": for a hook, the event types it wants, such as ["stage_finished"]; all when absent,
 *   "requires": [service id…],  "optional": [service id…]
 * }. It may be called before and without `init`. */
typedef struct cosmos_plugin_entry_t {
  uint32_t struct_size;
  uint16_t sdk_major;
  uint16_t sdk_minor;

  /* [engine] Gives the description; needs and changes nothing else. */
  cosmos_status (*describe)(cosmos_sink description, cosmos_sink error);
  /* [engine] Called once, before `create`, only in processes that use the plugin. */
  cosmos_status (*init)(const cosmos_host* host, cosmos_sink error);
  /* [any] One instance serves one stage attempt, or one hook of one run. NULL: failed, and why stands in `error`. */
  void* (*create)(cosmos_sink error);
  /* [any] Ends what `create` made; nothing of the instance runs any more. */
  void (*destroy)(void* instance);

  /* Stages only. [worker] Carries out the stage. `context` is {"run_id", "workflow", "prompt_name", "prompt_id",
   * "operation_id", "stage", "instance", "attempt", "gpus": how many it may use, "oom_steps": what is to be changed
   * because earlier attempts ran out of GPU memory, of "offload", "more_gpus" (`gpus` says it), "fewer_frames",
   * "resumed": whether an earlier engine began the attempt}; `parameters` what stands below `with:`, checked and
   * complete. (gpus, oom_steps and resumed since 1.2.)
   * COSMOS_OK: `result` gets the outputs, an object. COSMOS_FAILED: `result` gets {"kind": a failure kind of the
   * engine, such as "exit_code" or "invalid_input", "message": a sentence a person can act on}. COSMOS_ERROR: `result`
   * gets a sentence; it counts as kind plugin_error. */
  cosmos_status (*run)(void* instance, cosmos_task* task, cosmos_str context, cosmos_str parameters,
                       cosmos_sink result);
  /* Stages only; may be NULL. [worker] Gives the job spec that `run` would pass to the job service, executing nothing.
   * Parameters that are known only when the run is there stand as their expressions. */
  cosmos_status (*preview)(void* instance, cosmos_task* task, cosmos_str context, cosmos_str parameters,
                           cosmos_sink result);
  /* Stages only; may be NULL. [any] Asks a `run` in progress to return soon; may be called more than once. A job of the
   * job service is ended by the engine itself. */
  void (*cancel)(void* instance);

  /* Hooks only. `start` and `stop` embrace a run; `on_event` gets one event at a time, in order, on a thread of the
   * hook's own [worker]. */
  cosmos_status (*start)(void* instance, cosmos_str context, cosmos_str parameters, cosmos_sink error);
  cosmos_status (*on_event)(void* instance, cosmos_str event, cosmos_sink error);
  cosmos_status (*stop)(void* instance, cosmos_sink error);

  /* [engine] Called once when the process ends in order; may be NULL. */
  void (*deinit)(void);

  /* Hooks only; may be NULL. [worker] Gives, before `start`, the run that a hook's services are about. Since 1.1. */
  cosmos_status (*attach)(void* instance, cosmos_run* run, cosmos_sink error);

  /* Stages only; may be NULL. [worker] Gives the one job that carries out several instances of a stage, executing
   * nothing. `contexts` and `parameters` are JSON arrays of what `run` gets, one for each member, two at least; of the
   * services, `task` has those of input, output_folder, log, progress and history, for all of them. `result` gets
   *   {"job": a job spec without outputs,
   *    "members": [{"folder": below the output folder, "outputs": as in a job spec, with paths in that folder,
   *                 "log_marker": text}…]}, in the members' order.
   * A member has succeeded when its outputs are good, whatever became of the job. Its part of the log begins with the
   * first line that holds its log_marker (of members with the same one, the second one's with the second such line),
   * and ends where another's begins. When a run is resumed it is called again, with the same members. Which instances
   * may share a job is said by "x-batch" in the schema of the parameters, or
   * in its chosen branch: {"vary": [path…], "distinct": [name…], "unless": [name…]}: in what they may
   * differ (dots for what is below, `*` for any name), in what they must, and what may not be given, or be true.
   * Since 1.2. */
  cosmos_status (*plan_batch)(void* instance, cosmos_task* task, cosmos_str contexts, cosmos_str parameters,
                              cosmos_sink result);
  /* Stages only; may be NULL. [worker] The log of a batch's job as it grows; progress that is reported is that of all
   * members. Since 1.2. */
  void (*on_batch_output)(void* instance, cosmos_task* task, cosmos_str bytes);
} cosmos_plugin_entry_t;

#if defined(__GNUC__)
#define COSMOS_EXPORT __attribute__((visibility("default")))
#else
#define COSMOS_EXPORT
#endif

/* The one exported symbol: `COSMOS_EXPORT const cosmos_plugin_entry_t cosmos_plugin_entry = {…};` */
extern COSMOS_EXPORT const cosmos_plugin_entry_t cosmos_plugin_entry;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* COSMOS_PLUGIN_H_ */
