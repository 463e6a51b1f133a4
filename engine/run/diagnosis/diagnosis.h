#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "core/cancel.h"
#include "core/logger.h"
#include "plugin/catalogue.h"
#include "run/diagnosis/run_inspection.h"
#include "store/records.h"
#include "workflow/plan.h"

namespace cosmos {

inline constexpr const char* kDiagnosticsPlugin = "diagnostics";

// What looking at a run came to.
struct Diagnosis {
  std::filesystem::path folder;                    // the run's folder of diagnoses
  std::filesystem::path summary;                   // empty when nothing was written
  nlohmann::json items = nlohmann::json::array();  // those of the manifest
  std::string problem;                             // why nothing was written, or not all of it
};

// Lets the plugin `diagnostics` look at a run, beside the run: it has no stage, no event and no record there. Throws
// nothing for what is wrong with the plugin, the run's machines or its files; that is `problem`. What it asks of
// targets ends when `cancel` is cancelled. `sources` as RunInspection has them; `logger` gets the plugin's lines.
Diagnosis Diagnose(const RunRecord& run, const InspectionSources& sources, Logger* logger, const CancelToken& cancel);

// Whether a run of the plan is to be diagnosed by the engine itself when it has failed: the workflow does not forbid
// it, no handler does it already, and the plugin is there.
bool IsToBeDiagnosed(const Plan& plan, const Catalogue& plugins);

}  // namespace cosmos
