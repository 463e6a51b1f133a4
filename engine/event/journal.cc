#include "event/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/json_values.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

bool Has(const json& event, const char* name, bool (json::*is_type)() const noexcept) {
  const auto found = event.find(name);
  return found != event.end() && (*found.*is_type)();
}

bool HasOrLacks(const json& event, const char* name, bool (json::*is_type)() const noexcept) {
  return !event.contains(name) || Has(event, name, is_type);
}

// Null when the line is no event.
json EventOf(std::string_view line) {
  // A power failure may leave zeros where the end of an earlier line should be.
  if (const std::size_t text = line.find_first_not_of('\0'); text != line.npos) line.remove_prefix(text);
  json event = TryParseJson(line, kOwnJson);
  if (!event.is_object() || !Has(event, "seq", &json::is_number_unsigned) || event["seq"] == 0u) return {};
  if (!Has(event, "type", &json::is_string) || !HasOrLacks(event, "data", &json::is_object)) return {};
  if (!HasOrLacks(event, "time", &json::is_string) || !HasOrLacks(event, "stage", &json::is_string)) return {};
  if (!HasOrLacks(event, "instance", &json::is_string)) return {};
  if (!HasOrLacks(event, "attempt", &json::is_number_integer)) return {};
  if (!event.contains("data")) event["data"] = json::object();
  return event;
}

}  // namespace

Journal::Journal(const fs::path& path) : path_(path) {
  std::string last_line;
  const std::int64_t end = ReadLines(path, 0, [&](std::string_view line) { last_line = line; });
  file_ = DemandRegular(path, O_WRONLY | O_CREAT | O_APPEND);
  if (::ftruncate(file_.get(), end) != 0) throw IoError("repair the journal", path, errno);
  if (end == 0) return;
  if (const json last = EventOf(last_line); !last.is_null()) {
    last_seq_ = last["seq"];
    return;
  }
  Read(path, 0, [this](const json& event) { last_seq_ = std::max<std::uint64_t>(last_seq_, event["seq"]); });
}

Subscription Journal::Subscribe() {
  return {"journal", Subscription::Overflow::kBlock, 4096, IsLifecycle, [this](const Event& event) { Append(event); }};
}

void Journal::Append(const Event& event) {
  // Text of jobs and plugins may be broken UTF-8; the journal stays valid JSON.
  const std::string line = ToJson(event).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t n = ::write(file_.get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw IoError("write the journal", path_, errno);
    rest.remove_prefix(static_cast<size_t>(n));
  }
}

std::int64_t Journal::Read(const fs::path& path, std::int64_t offset,
                           const std::function<void(const json& event)>& on_event) {
  return ReadLines(path, offset, [&](std::string_view line) {
    if (const json event = EventOf(line); !event.is_null()) on_event(event);
  });
}

std::int64_t Journal::ReadLines(const fs::path& path, std::int64_t offset,
                                const std::function<void(std::string_view line)>& on_line) {
  std::error_code error;
  if (fs::symlink_status(path, error).type() == fs::file_type::not_found) return offset;
  const Fd file = DemandRegular(path);
  std::string held;
  std::int64_t dropped = 0;  // bytes of a line that is too long for an event
  std::vector<char> buffer(1 << 16);
  for (std::int64_t at = offset;;) {
    const ssize_t n = ::pread(file.get(), buffer.data(), buffer.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw IoError("read the journal", path, errno);
    if (n == 0) return offset;
    at += n;
    held.append(buffer.data(), static_cast<size_t>(n));
    size_t start = 0;
    for (size_t end; (end = held.find('\n', start)) != held.npos; start = end + 1) {
      if (dropped == 0) on_line(std::string_view(held).substr(start, end - start));
      offset += dropped + static_cast<std::int64_t>(end + 1 - start);
      dropped = 0;
    }
    held.erase(0, start);
    if (held.size() > kOwnJson.bytes) {
      dropped += static_cast<std::int64_t>(held.size());
      held.clear();
    }
  }
}

}  // namespace cosmos
