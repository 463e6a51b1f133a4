#include "media/media_tools.h"

#include "core/command.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr auto kTimeout = std::chrono::seconds(20);
constexpr std::size_t kMaxReason = 200;  // characters

}  // namespace

std::string ProblemOfMediaTool(const std::string& program, const CancelToken& cancel) {
  const CommandResult result = RunCommand({program, "-version"}, kTimeout, cancel);
  if (cancel.cancelled() || (result.exit_status == 0 && result.output.rfind(program + " version", 0) == 0)) return "";
  // A shell script that cannot find its program ends so, too; only without a word is the program itself missing.
  if (result.exit_status == 127 && result.output.empty()) return "there is no " + program + " on this machine";
  const std::vector<std::string> lines = SplitLines(result.output);
  std::string problem = program + " does not work on this machine: `" + program + " -version` ";
  if (result.timed_out) return problem + "does not end";
  problem += "ended with status " + std::to_string(result.exit_status);
  return lines.empty() ? problem : problem + " (" + TruncateUtf8(lines.front(), kMaxReason) + ")";
}

}  // namespace cosmos
