#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/masker.h"
#include "plugin/catalogue.h"
#include "plugin/inspection.h"
#include "run/diagnosis/target_probes.h"
#include "run/secrets.h"
#include "store/run_store.h"

namespace cosmos {

// What looking at a run takes. A value; its pointers outlive whoever uses it.
struct InspectionSources {
  std::map<std::string, nlohmann::json> targets;  // by name, as the workflow's schema shapes them
  Masker masker;
  std::vector<std::string> secrets;          // names
  std::vector<std::string> secrets_unknown;  // of those, the ones whose values are not known, and so not masked
  const Catalogue* plugins = nullptr;
  std::string own_run;  // that this process carries out; empty: none
  // Calls with the store, in which everything stands that was written before.
  std::function<void(const std::function<void(RunStore&)>& work)> read;
};

// Looks at runs and at the targets of one of them, for stages that ask (Inspection). Thread-safe.
class RunInspection final : public Inspection {
 public:
  // The pointers must outlive it. Contacts nothing; what is asked of targets ends when `cancel` is cancelled.
  RunInspection(const InspectionSources* sources, const CancelToken* cancel);

  nlohmann::json RunOn(const std::string& target, const std::string& script, Duration longest) override;
  nlohmann::json Commands(const std::string& run_id, const std::string& target, std::size_t limit) override;
  nlohmann::json Facts(const std::string& run_id) override;
  std::string Redact(std::string_view text) override { return sources_.masker.Mask(text); }

 private:
  RunRecord RunOf(const std::string& run_id, nlohmann::json* report) const;
  nlohmann::json VersionsFor(const nlohmann::json& report) const;

  const InspectionSources& sources_;
  const CancelToken& cancel_;
  TargetProbes probes_;
};

}  // namespace cosmos
