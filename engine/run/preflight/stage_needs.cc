#include "run/preflight/stage_needs.h"

namespace cosmos {

StageNeeds StageNeeds::FromJson(const nlohmann::json& needs) {
  StageNeeds read;
  for (const nlohmann::json& video : needs.value("videos", nlohmann::json::array())) {
    read.videos.push_back({video.value("parameter", ""), video.at("path")});
  }
  read.alike = needs.value("alike", false);
  read.sizes = needs.value("sizes", read.sizes);
  read.folder = needs.value("folder", "");
  read.files = needs.value("files", read.files);
  read.files_hint = needs.value("files_hint", "");
  read.programs = needs.value("programs", read.programs);
  read.history = needs.value("history", nlohmann::json());
  read.gpu_memory_gb = needs.value("gpu_memory_gb", 0.0);
  read.driver = needs.value("driver", "");
  read.disk_gb = needs.value("disk_gb", 0.0);
  const nlohmann::json download = needs.value("download", nlohmann::json::object());
  read.download = {download.value("folder", ""), download.value("variable", ""), download.value("path", ""),
                   download.value("gb", 0.0)};
  return read;
}

}  // namespace cosmos
