#include "run/targets/target_check.h"

#include <chrono>
#include <optional>

#include "core/error.h"
#include "core/text.h"
#include "run/targets/target_contact.h"
#include "target/gpu/nvidia_smi.h"
#include "target/ssh/ssh_options.h"
#include "target/ssh/ssh_target.h"

namespace cosmos {
namespace {

using Result = TargetCheck::Result;
using std::chrono::seconds;

constexpr std::size_t kMostSaid = 300;

// The target's working folder, which need not be there yet; "", and a check that failed, when it cannot be used.
std::string FindWorkdir(Target* target, TargetChecks* checks) {
  try {
    return target->FindWorkdir();
  } catch (const Error& error) {
    checks->push_back({"workdir", Result::kFailed, error.message(),
                       error.hint().empty()
                           ? "correct `workdir:` of the target, or give the user the folder that it is in"
                           : error.hint()});
    return "";
  }
}

void TellConnection(const nlohmann::json& config, const TargetContact& target, const TargetFacts& facts,
                    TargetChecks* checks) {
  const std::string user = facts.Has("user") ? facts.Get("user") : "somebody unknown";
  auto* const ssh = dynamic_cast<SshTarget*>(target.inner());
  if (ssh == nullptr) {
    checks->push_back({"connection", Result::kOk, "this machine, as " + user, ""});
    return;
  }
  checks->push_back({"connection", Result::kOk, NameOf(SshOptionsOf(config["ssh"])) + ", logged in as " + user, ""});
  checks->push_back({"host_key", Result::kOk, ssh->Fingerprint() + ", as in known_hosts", ""});
}

TargetChecks CheckReached(const nlohmann::json& config, const TargetContact& target, Clock* clock) {
  TargetChecks of_workdir;
  const std::string workdir = FindWorkdir(target.get(), &of_workdir);
  const WallTime asked = clock->Wall();
  const TargetOutput output = target->Run(TargetFactsScript(config, workdir), seconds(kFactsTime));
  const TargetFacts facts(output.output);
  const WallTime answered = clock->Wall();
  TargetChecks checks;
  TellConnection(config, target, facts, &checks);
  checks.insert(checks.end(), of_workdir.begin(), of_workdir.end());
  if (!facts.Has("user") && !output.timed_out) {
    const std::string said = TruncateUtf8(output.errors.empty() ? output.output : output.errors, kMostSaid);
    checks.push_back({"tools", Result::kFailed, "the host executes no scripts: " + said,
                      "the user needs a login shell and GNU coreutils, of which `timeout` is called first"});
    return checks;
  }
  for (TargetCheck& check : JudgeTarget(config, workdir, facts, ParseGpuAnswer(output.output), asked, answered))
    checks.push_back(std::move(check));
  return checks;
}

}  // namespace

TargetChecks CheckTarget(const nlohmann::json& config, Clock* clock) {
  bool reached = false;
  try {
    const TargetContact target(config);
    target.Reach();
    reached = true;
    return CheckReached(config, target, clock);
  } catch (const Error& error) {
    // A connection that breaks tells what runs should do.
    return {{"connection", Result::kFailed, error.message(), reached ? "try again" : error.hint()}};
  }
}

}  // namespace cosmos
