#include <cosmos/plugin.h>
#include <fmt/format.h>

#include "cli/command.h"

namespace cosmos {
namespace {

int Version(const Arguments&, Console* console) {
  const std::string sdk = fmt::format("{}.{}", COSMOS_SDK_MAJOR, COSMOS_SDK_MINOR);
  if (console->json()) {
    console->PrintJson({{"version", COSMOS_VERSION}, {"sdk", sdk}});
  } else {
    console->PrintLine(fmt::format("cosmos-engine {} (plugin SDK {})", COSMOS_VERSION, sdk));
  }
  return kExitSucceeded;
}

}  // namespace

Command VersionCommand() {
  return {"version", "", "Tells the version of program and SDK.", "", CommonOptions(), {"", 0, 0}, Version};
}

}  // namespace cosmos
