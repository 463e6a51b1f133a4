#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/clock.h"

namespace cosmos {

// Texts that all processes of a user share by files in a folder, so that what is asked for by many is asked once in a
// while. While one process asks, those that want the same wait for it; one that dies meanwhile leaves nothing locked.
// Thread-safe; a value.
class SharedCache {
 public:
  struct Entry {
    std::string text;             // the latest there is; may be empty
    std::optional<Duration> age;  // since it was asked for; none: there is no text
    std::string failure;          // why the latest try gave none, which `text` is older than; empty when it did
  };

  // The folder is made when it is needed, for the user alone. Empty: nothing is shared, and each call asks.
  explicit SharedCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // The text of `key`, by which all callers must mean the same. When the last try is older than `longest_age`, `ask`
  // gives a new one; what it throws as Error is the entry's failure, and is kept like a text. Waits at most `patience`
  // for somebody else who asks, and then gives what there is. A folder that cannot be used means no more than that
  // nothing is shared.
  Entry Get(const std::string& key, Duration longest_age, Duration patience,
            const std::function<std::string()>& ask) const;

  // What there is, without asking; age and text of an earlier try.
  Entry Peek(const std::string& key) const;

 private:
  std::filesystem::path FileOf(const std::string& key) const;

  std::filesystem::path folder_;
};

}  // namespace cosmos
