#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "core/masker.h"
#include "target/target.h"

namespace cosmos {

// Brings a job's log from its target to the local log file and to whoever listens, piece by piece, each byte once.
// Not thread-safe; used by the thread that waits for the job.
class LogPump {
 public:
  using Listener = std::function<void(std::string_view bytes)>;

  // The local log at `local` becomes another name of the job's own log where the target shares the file system and
  // there are no secrets to mask: so it is complete and current by itself, whatever happens to the engine. Else it is
  // written anew from the job's first byte on. `listener` may be empty. All pointers must outlive the pump.
  LogPump(Target* target, const JobHandle& handle, const std::filesystem::path& local, const Masker* masker,
          Listener listener);

  // Whether Pump does anything: false for a linked log that nobody listens to.
  bool needed() const { return !linked_ || listener_; }
  // Passes on what has come since.
  void Pump();
  // Passes on the rest, after the job has ended, and gives the local log's size.
  std::int64_t Finish();

 private:
  void PassOn(std::string_view bytes);

  Target* const target_;
  const JobHandle handle_;
  const std::filesystem::path local_;
  const Masker* const masker_;
  const Listener listener_;
  bool linked_ = false;
  StreamMasker stream_masker_;
  std::int64_t offset_ = 0;
};

}  // namespace cosmos
