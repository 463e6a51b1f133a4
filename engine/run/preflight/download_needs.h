#pragma once

#include <optional>
#include <string>

#include "run/preflight/preflight.h"
#include "run/preflight/stage_needs.h"
#include "run/targets/target_facts.h"

namespace cosmos {

// What a job downloads when it is not there yet: whether there is room for it. Nothing is wrong with a download that
// was made already, so the disk is looked at only when nothing is there.

// Lines for the host's shell that set `path` to what is there once the download was made. nullopt: nothing is
// downloaded, or nobody can look: it is inside a container's image, or only the run brings the variable that names it.
std::optional<std::string> DownloadLines(const StageNeeds& needs, const std::string& workdir);

// `room I PATH` prints
//   download_I        `there`, or without it, or with an empty folder, the bytes free on the disk that it will be on
//   download_path_I   the path, unless it is there
extern const char* const kDownloadFunction;

// What the answers to `room NUMBER` come to; a negative number: DownloadLines had none.
PreflightFindings JudgeDownload(const StageNeeds& needs, const TargetFacts& answers, int number);

}  // namespace cosmos
