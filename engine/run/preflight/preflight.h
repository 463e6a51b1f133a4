#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/cancel.h"
#include "plugin/catalogue.h"
#include "run/preflight/stage_needs.h"
#include "target/target.h"
#include "workflow/plan.h"

namespace cosmos {

// One thing that was looked at before a run.
struct PreflightFinding {
  enum class Severity {
    kInfo,     // could not be looked at, for a good reason
    kWarning,  // may be wrong, or could not be found out
    kError,    // the stage would fail
  };

  Severity severity = Severity::kError;
  std::string stage;
  std::string target;     // empty: it is about this machine's files
  std::string parameter;  // that names the file; may be empty
  std::string file;       // may be empty
  std::string message;    // what was found and what was expected
  std::string hint;       // what to do

  auto operator<=>(const PreflightFinding&) const = default;
};

using PreflightFindings = std::vector<PreflightFinding>;

// The most memory that one GPU held in jobs of a key (run/history_key.h), in bytes; 0: not known.
using PeakMemory = std::function<std::int64_t(const std::string& key)>;

std::string_view ToString(PreflightFinding::Severity severity);
bool HasErrors(const PreflightFindings& findings);

// Looks whether what the stages of a plan need is there, before anything of it is executed. What they need is what
// their plugins' previews say; what only the run brings is not looked at. Instances of a stage that share a fault share
// its finding. Immutable; any thread.
class Preflight {
 public:
  Preflight(const Plan& plan, const Catalogue& plugins, const std::filesystem::path& output_dir);
  explicit Preflight(std::vector<StageNeeds> needs) : needs_(std::move(needs)) {}

  // Whether the stages need nothing that could be looked at.
  bool empty() const { return needs_.empty(); }
  // Looks at what the workflow asks for, and reads and decodes the videos of this machine, each once. Ends early when
  // cancelled.
  PreflightFindings LookHere(const CancelToken& cancel) const;
  // The targets of which anything is needed.
  std::set<std::string> Targets() const;
  // Looks at all that is needed of the target with one short command. `peak_memory` may be empty. Throws what it and
  // Target::Run throw.
  PreflightFindings LookAt(const std::string& name, Target* target, const PeakMemory& peak_memory,
                           const CancelToken& cancel) const;

 private:
  std::vector<StageNeeds> needs_;
};

}  // namespace cosmos
