#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "run/targets/target_facts.h"

namespace cosmos {

// Whether an image's entrypoint executes its arguments, as a job's command needs it, is only known by trying: `docker
// run` succeeds with any entrypoint that ends with 0.

// A script of /bin/sh that starts a container of the image with the entrypoint that a job would have and a command that
// proves its execution. The container has no network and is removed. It prints
//   KEY       `works`, `swallows` or `slow`; nothing where the image is not there (it is not pulled for this), has no
//             entrypoint, or gets none
//   KEY_says  what the container printed, unless it works
// `container` is that of a target or stage. REQUIRES: `tell` of the scripts that it becomes part of.
std::string EntrypointScript(const nlohmann::json& container, const std::string& key);

// What is wrong for people, or "".
std::string EntrypointProblem(const nlohmann::json& container, const TargetFacts& facts, const std::string& key);

constexpr const char* kEntrypointHint =
    "set `entrypoint: none` in `container:`, or the path of an entrypoint that ends with `exec \"$@\"`";

}  // namespace cosmos
