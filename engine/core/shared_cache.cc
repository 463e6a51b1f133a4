#include "core/shared_cache.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "core/fd.h"
#include "core/files.h"
#include "core/json_values.h"
#include "core/sha256.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

constexpr auto kPause = std::chrono::milliseconds(5);  // between two looks at the lock
constexpr std::size_t kNameLength = 32;

struct Kept {
  std::string text;
  std::int64_t asked_at = 0;  // milliseconds since the epoch; 0: there is no text
  std::int64_t tried_at = 0;
  std::string failure;
};

std::int64_t Now() { return UnixMilliseconds(std::chrono::system_clock::now()); }

// A file that is missing or of another making holds nothing.
Kept Load(const fs::path& file) {
  Kept kept;
  try {
    const json saved = ParseJson(ReadOwnFile(file), kOwnJson);
    kept.text = saved.at("text");
    kept.asked_at = saved.at("asked_at");
    kept.tried_at = saved.at("tried_at");
    kept.failure = saved.at("failure");
  } catch (const std::exception&) {
    return {};
  }
  return kept;
}

void Save(const Kept& kept, const fs::path& file) {
  const json saved = {
      {"text", kept.text}, {"asked_at", kept.asked_at}, {"tried_at", kept.tried_at}, {"failure", kept.failure}};
  WriteFileAtomically(file, saved.dump(-1, ' ', false, json::error_handler_t::replace));
}

SharedCache::Entry EntryOf(const Kept& kept) {
  SharedCache::Entry entry{kept.text, std::nullopt, kept.failure};
  if (kept.asked_at != 0) entry.age = std::chrono::milliseconds(std::max<std::int64_t>(Now() - kept.asked_at, 0));
  return entry;
}

// A time to come is one of a clock that was set back since.
bool IsFresh(const Kept& kept, Duration longest_age) {
  const std::int64_t age = Now() - kept.tried_at;
  return kept.tried_at != 0 && age >= 0 && std::chrono::milliseconds(age) <= longest_age;
}

void Try(const std::function<std::string()>& ask, Kept* kept) {
  try {
    kept->text = ask();
    kept->asked_at = Now();
    kept->failure.clear();
  } catch (const Error& error) {
    kept->failure = error.message();
  }
  kept->tried_at = Now();
}

}  // namespace

fs::path SharedCache::FileOf(const std::string& key) const {
  return folder_ / (Sha256(key).substr(0, kNameLength) + ".json");
}

SharedCache::Entry SharedCache::Get(const std::string& key, Duration longest_age, Duration patience,
                                    const std::function<std::string()>& ask) const {
  Kept kept;
  Fd lock;
  const fs::path file = FileOf(key);
  if (!folder_.empty()) {
    kept = Load(file);
    if (IsFresh(kept, longest_age)) return EntryOf(kept);
    try {
      MakeFolders(folder_, 0700);
      lock = Fd(::open((file.string() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    } catch (const Error&) {  // nothing is shared then
    }
  }
  const auto until = std::chrono::steady_clock::now() + patience;
  while (lock.valid() && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    kept = Load(file);
    if (IsFresh(kept, longest_age) || std::chrono::steady_clock::now() >= until) return EntryOf(kept);
    std::this_thread::sleep_for(kPause);
  }
  if (lock.valid()) {
    kept = Load(file);  // somebody may have asked while the lock was waited for
    if (IsFresh(kept, longest_age)) return EntryOf(kept);
  }
  Try(ask, &kept);
  try {
    if (lock.valid()) Save(kept, file);
  } catch (const Error&) {  // nor is it then
  }
  return EntryOf(kept);
}

SharedCache::Entry SharedCache::Peek(const std::string& key) const {
  return folder_.empty() ? Entry() : EntryOf(Load(FileOf(key)));
}

}  // namespace cosmos
