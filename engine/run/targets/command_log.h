#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "core/fd.h"
#include "core/masker.h"
#include "target/recorded_target.h"

namespace cosmos {

// What a run asked of its targets, in OUTPUT_DIR/.runs/RUN_ID/commands.jsonl for whoever looks for a reason later: an
// object a line, {"time", "target", "operation", "what", "outcome", "exit_status", "duration", "kind", "error",
// "repeated"}. Secrets are masked, texts are cut. What a run asks again and again is written when it is new, when its
// outcome changes and once a minute, with how often it was left out (`repeated`); a file that grows beyond 1 MiB
// becomes commands.1.jsonl, in the place of an older one. Thread-safe; a file that cannot be written changes nothing.
class CommandLog final : public TargetRecorder {
 public:
  // `masker` must outlive the log. The file is made with the first line.
  CommandLog(std::filesystem::path path, const Masker* masker);

  void Record(const TargetOperation& operation) noexcept override;

 private:
  struct Repeat {
    std::string outcome;
    WallTime written{};
    std::int64_t left_out = 0;
  };

  // REQUIRES: mutex_ is held. Whether the operation is to be written; how many like it were not since the last time.
  bool IsDue(const TargetOperation& operation, const std::string& outcome, std::int64_t* left_out);
  void Write(const std::string& line);

  const std::filesystem::path path_;
  const Masker& masker_;
  std::mutex mutex_;  // guards what follows
  Fd file_;
  std::int64_t size_ = 0;
  std::map<std::string, Repeat> repeats_;  // by target, operation and what
};

// The latest of them, at most `limit`, oldest first; of one target, or of all when `target` is empty. An array, empty
// when there are none.
nlohmann::json ReadCommands(const std::filesystem::path& path, const std::string& target, std::size_t limit);

}  // namespace cosmos
