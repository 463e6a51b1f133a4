#pragma once

#include <string>
#include <vector>

// What tests of the language check against. language_forms_test.cc says when a form is missing here.
namespace cosmos {

// Workflows that have every key and every form of the language between them, without an expression.
inline const std::vector<std::string>& WorkflowsOfAllForms() {
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

// A configuration.
inline constexpr const char* kConfigOfAllForms = R"yaml(
targets:
  far: {ssh: gpu2, container: {image: "image:1", env: {HF_HOME: /cache}}}
hooks: {gpu-monitor: {interval: 5s}}
log: {max_bytes: 100000}
)yaml";

}  // namespace cosmos
