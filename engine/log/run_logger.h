#pragma once

#include <filesystem>
#include <memory>

#include "core/logger.h"
#include "core/masker.h"

namespace cosmos {

// Readies glog for the process, before any logger; from one thread.
void InitLogging(const char* program);

// Writes the lines of engine and plugins about one run to a file of that run alone, through glog. Each line begins with
// severity, time, thread, run_id and stage, and is written in one go, so runs and threads never mix one. Thread-safe.
class RunLogger final : public Logger {
 public:
  // Appends to `path`. Throws Error{kIo} when it cannot be opened. `masker` must outlive the logger.
  RunLogger(const std::filesystem::path& path, const Masker* masker, bool verbose);
  ~RunLogger() override;

  void Log(LogLevel level, const RunContext& context, std::string_view text) noexcept override;

 private:
  class FileSink;

  const std::unique_ptr<FileSink> sink_;
  const Masker* const masker_;
  const bool verbose_;
};

}  // namespace cosmos
