#include "target/gpu/gpu_cache.h"

#include "core/json_values.h"
#include "target/gpu/nvidia_smi.h"

namespace cosmos {
namespace {

std::string KeyOf(const std::string& host) { return "gpus " + host; }

GpuState StateOf(const SharedCache::Entry& entry) {
  GpuState state{{}, entry.age, entry.failure};
  try {
    if (entry.age) state.reading = GpuReadingFromJson(ParseJson(entry.text, kOwnJson));
  } catch (const std::exception&) {  // of another version of the program
    state.age.reset();
  }
  return state;
}

}  // namespace

GpuState GpuCache::Read(const std::string& host, Target* target, Duration longest_age, Duration patience) const {
  return Read(
      host, [target] { return target; }, longest_age, patience);
}

GpuState GpuCache::Read(const std::string& host, const std::function<Target*()>& target, Duration longest_age,
                        Duration patience) const {
  return StateOf(cache_.Get(KeyOf(host), longest_age, patience, [&] {
    return ToJson(ReadGpus(target(), false)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }));
}

GpuState GpuCache::Peek(const std::string& host) const { return StateOf(cache_.Peek(KeyOf(host))); }

}  // namespace cosmos
