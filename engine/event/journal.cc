#include "event/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace cosmos {
namespace fs = std::filesystem;

Journal::Journal(const fs::path& path) : path_(path) {
  std::string last_line;
  const std::int64_t end = Read(path, 0, [&](const std::string& line) { last_line = line; });
  file_ = Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file_.valid()) throw IoError("open the journal", path, errno);
  if (::ftruncate(file_.get(), end) != 0) throw IoError("mend the journal", path, errno);
  if (last_line.empty()) return;
  const nlohmann::json last = nlohmann::json::parse(last_line, nullptr, false);
  if (last.is_object()) last_seq_ = last.value("seq", std::uint64_t{0});
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
                           const std::function<void(const std::string& line)>& on_line) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT) return offset;
    throw IoError("read the journal", path, errno);
  }
  std::string held;
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
      on_line(held.substr(start, end - start));
    }
    offset += static_cast<std::int64_t>(start);
    held.erase(0, start);
  }
}

}  // namespace cosmos
