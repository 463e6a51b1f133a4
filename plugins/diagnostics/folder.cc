#include "diagnostics/folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cosmos/parse_json.hpp>
#include <cosmos/text.hpp>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "diagnostics/redaction.h"

namespace cosmos::plugins {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void Fail(const fs::path& path) {
  throw std::runtime_error("cannot write '" + path.string() + "': " + std::strerror(errno));
}

void RemoveEarlier(const fs::path& folder) {
  std::ifstream file(folder / "manifest.json");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const sdk::Json manifest = sdk::TryParseJson(text, sdk::kOwnJson);
  if (!manifest.is_object() || !manifest.value("items", sdk::Json()).is_array()) return;
  for (const sdk::Json& item : manifest.at("items")) {
    const sdk::Json name = item.is_object() ? item.value("file", sdk::Json()) : sdk::Json();
    std::error_code ignored;
    if (name.is_string() && IsSafeName(name.get<std::string>())) fs::remove(folder / name.get<std::string>(), ignored);
  }
}

}  // namespace

bool IsSafeName(std::string_view name) {
  constexpr std::string_view kCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !name.empty() && name.size() <= 250 && name[0] != '.' && name.find_first_not_of(kCharacters) == name.npos;
}

Folder::Folder(fs::path path, Redact redact) : path_(std::move(path)), redact_(std::move(redact)) {
  RemoveEarlier(path_);
}

std::string Folder::Write(const std::string& name, std::string_view text) const {
  if (!IsSafeName(name)) throw std::runtime_error("'" + name + "' is no name for a file");
  // By values first: a form may take a part of one away, and the rest would not be found any more.
  const std::string written = Bounded(WithoutSecrets(redact_(AsText(text))), kMostBytes);
  const fs::path path = path_ / name;
  // A new file, whatever stood there.
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) Fail(path);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) Fail(path);
  for (std::string_view rest = written; !rest.empty();) {
    const ssize_t n = ::write(file, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int reason = errno;
      ::close(file);
      errno = reason;
      Fail(path);
    }
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::close(file) != 0) Fail(path);
  return written;
}

}  // namespace cosmos::plugins
