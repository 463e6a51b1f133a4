#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/fd.h"
#include "event/bus.h"

namespace cosmos {

// The file of a run's lifecycle events, one JSON object a line, in order. It is appended to by one engine at a time
// (the one that holds the run's lock) and may be read by anybody meanwhile; a last line without its newline is one that
// is being written, or that a crash cut off. A line that is no event, such as a power failure or a broken disk leaves
// behind, stays in the file and is skipped by readers.
class Journal {
 public:
  // Opens or creates the file; a cut-off last line is removed. Throws Error{kIo}.
  explicit Journal(const std::filesystem::path& path);

  // The highest number of an event in the file, 0 without one.
  std::uint64_t last_seq() const { return last_seq_; }
  // How the journal listens to a bus. The journal must outlive the bus.
  Subscription Subscribe();

  // Reads the complete lines of the file at `path` from byte `offset` on, and returns the offset behind them. A missing
  // file has none. `on_event` gets each event as ToJson(Event) made it: `seq` is a positive number, `type` a string,
  // `data` an object, and `time`, `stage`, `instance` and `attempt` have their types where they are there at all.
  // Throws Error{kIo}.
  static std::int64_t Read(const std::filesystem::path& path, std::int64_t offset,
                           const std::function<void(const nlohmann::json& event)>& on_event);

 private:
  static std::int64_t ReadLines(const std::filesystem::path& path, std::int64_t offset,
                                const std::function<void(std::string_view line)>& on_line);
  void Append(const Event& event);

  std::filesystem::path path_;
  Fd file_;
  std::uint64_t last_seq_ = 0;
};

}  // namespace cosmos
