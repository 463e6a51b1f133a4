#pragma once

#include <string>
#include <string_view>

namespace cosmos {

// `rs_` and 32 random hex digits. Any thread.
std::string NewRunId();
// `op_` and 32 random hex digits. Any thread.
std::string NewOperationId();
// 32 random hex digits, which nobody can guess. Any thread.
std::string NewToken();
// `ps_` and the first 32 hex digits of the SHA-256 of `record` (the canonical JSON of a prompt record).
std::string PromptIdOf(std::string_view record);

// Whether `name` may become part of a path, a command or a container name: [A-Za-z0-9._-]{1,128}, not `.` or `..`.
bool IsSafeName(std::string_view name);
// Throws Error{kInvalidInput} that names `what` (such as "prompt_name") unless IsSafeName(name).
void CheckName(std::string_view what, std::string_view name);
// Whether `name` is one that the engine's own files below an output folder have: `.runs`, `prompt_enhancement`, and the
// IDs of prompts, runs and operations. What users name must not be called so.
bool IsReservedFolder(std::string_view name);
// Throws Error{kInvalidInput} unless `run_id` can name a run: a usable name that no command takes for something else.
void CheckRunId(std::string_view run_id);
// Makes a safe name of any text: what is not allowed becomes '-'; when that loses something, a short digest of the text
// is appended, so two texts never get the same name.
std::string SafeNameOf(std::string_view text);

}  // namespace cosmos
