#include "run/lost_connections.h"

#include <fstream>
#include <map>
#include <string>

#include "core/json_values.h"
#include "core/text.h"
#include "run/run_cancel.h"
#include "run/run_paths.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr std::streamoff kTail = 1 << 20;  // bytes of the journal; what is further back is not looked at

std::string Tail(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file.tellg();
  if (size <= 0) return "";
  file.seekg(size > kTail ? size - kTail : 0);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

json LostConnections(const RunRecord& run) {
  return IsActive(run) ? LostConnectionsIn(RunPaths(run.output_dir, run.run_id).journal()) : json::array();
}

json LostConnectionsIn(const std::filesystem::path& journal) {
  std::map<std::string, json> lost;
  for (const std::string& line : SplitLines(Tail(journal))) {
    if (line.find("\"target_") == line.npos) continue;
    const json event = TryParseJson(line, kOwnJson);
    if (!event.is_object() || !event.contains("data") || !event["data"].is_object()) continue;
    const std::string type = TextIn(event, "type"), target = TextIn(event["data"], "target");
    if (type == "target_lost") {
      lost[target] = {
          {"target", target}, {"since", TextIn(event, "time")}, {"reason", TextIn(event["data"], "reason")}};
    } else if (type == "target_connected" || type == "target_reconnected") {
      lost.erase(target);
    }
  }
  json list = json::array();
  for (auto& [target, connection] : lost) list.push_back(std::move(connection));
  return list;
}

}  // namespace cosmos
