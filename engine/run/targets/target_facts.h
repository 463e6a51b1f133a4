#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

// What a target tells of itself when it is checked: lines `KEY VALUE` of a script, of which a key may have several. A
// value.
class TargetFacts {
 public:
  explicit TargetFacts(std::string_view output);

  bool Has(const std::string& key) const { return facts_.contains(key); }
  // The values of the key, in their order.
  std::vector<std::string> All(const std::string& key) const;
  // The first one, or "".
  std::string Get(const std::string& key) const;
  // The first one as a number, as far as it is one.
  std::optional<double> Number(const std::string& key) const;

 private:
  std::map<std::string, std::vector<std::string>> facts_;
};

// The script that prints them, all of it in one go:
//   begin, end              the host's time in seconds, when it began and when it was done
//   user                    who it is that jobs run as
//   missing                 a tool that jobs and transfers need, and that is not there
//   writable, unwritable    whether a file can be made in `workdir`; the latter with the reason
//   free                    bytes of its disk
//   nvidia_smi_lists, listed   exit status of `nvidia-smi -L`, and what it says; neither when there is none
//   what GpuScript prints
//   engine, engine_says     exit status of the container engine's `version`, and what it says
//   image                   exit status of looking for the target's image; not without one
//   gpu_container and its like, where the target has GPUs; see gpu_container.h
// It ends within kFactsTime. `workdir` is absolute; empty: nothing is told of it. Keys are left out when the script
// ends early.
std::string TargetFactsScript(const nlohmann::json& config, const std::string& workdir);
constexpr int kFactsTime = 120;  // seconds

}  // namespace cosmos
