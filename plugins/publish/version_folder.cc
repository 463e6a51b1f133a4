#include "publish/version_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cosmos/failure.hpp>
#include <cosmos/parse_json.hpp>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <vector>

namespace cosmos::plugins {
namespace fs = std::filesystem;
namespace {

using sdk::Json;

constexpr const char* kFacts = "version.json";
constexpr int kMaxVersion = 999'999'999;
constexpr int kMaxTries = 1000;  // of versions that others took meanwhile
constexpr std::size_t kBlock = std::size_t{1} << 20;

[[noreturn]] void Refuse(const std::string& message) { throw sdk::StageFailure("invalid_input", message); }
[[noreturn]] void FailOf(const std::string& what, int error) {
  throw sdk::StageFailure(error == ENOSPC || error == EDQUOT ? "disk_full" : "plugin_error",
                          what + ": " + std::strerror(error));
}

// A file descriptor that is closed.
class File {
 public:
  File(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
    if (fd_ < 0) FailOf("cannot open '" + path.string() + "'", errno);
  }
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::size_t Read(char* to, std::size_t bytes) const {
    const ssize_t count = ::read(fd_, to, bytes);
    if (count < 0) FailOf("cannot read a file", errno);
    return static_cast<std::size_t>(count);
  }
  void Write(const char* from, std::size_t bytes) const {
    while (bytes > 0) {
      const ssize_t count = ::write(fd_, from, bytes);
      if (count < 0) FailOf("cannot write a file", errno);
      from += count;
      bytes -= static_cast<std::size_t>(count);
    }
  }
  void Sync() const {
    if (::fsync(fd_) != 0) FailOf("cannot write a file", errno);
  }

 private:
  const int fd_;
};

// False when something is there already. File systems without RENAME_NOREPLACE (some network ones) get the same by
// means that each of them has: a file is linked, a folder takes the place of an empty one that was made for it.
bool RenameToNew(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST || errno == ENOTEMPTY) return false;
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) FailOf("cannot make '" + to.string() + "'", errno);
  if (!fs::is_directory(from)) {
    if (::link(from.c_str(), to.c_str()) == 0) return ::unlink(from.c_str()) == 0;
    if (errno == EEXIST) return false;
    FailOf("cannot make '" + to.string() + "'", errno);
  }
  if (::mkdir(to.c_str(), 0777) != 0) {
    if (errno == EEXIST) return false;
    FailOf("cannot make '" + to.string() + "'", errno);
  }
  if (::rename(from.c_str(), to.c_str()) != 0) FailOf("cannot make '" + to.string() + "'", errno);
  return true;
}

bool HasSameContent(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::file_size(a, error) != fs::file_size(b, error) || error) return false;
  const File one(a, O_RDONLY), other(b, O_RDONLY);
  std::vector<char> block(kBlock), its(kBlock);
  for (std::size_t count; (count = one.Read(block.data(), kBlock)) > 0;) {
    std::size_t read = 0;
    for (std::size_t more; read < count && (more = other.Read(its.data() + read, count - read)) > 0;) read += more;
    if (read != count || !std::equal(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(count), its.begin()))
      return false;
  }
  return true;
}

Json FactsIn(const fs::path& folder) {
  constexpr std::size_t kMaxFacts = 100'000;
  std::ifstream file(folder / kFacts, std::ios::binary);
  std::string text(kMaxFacts, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return sdk::TryParseJson(text);  // which finds nothing where somebody else made it
}

}  // namespace

std::string Expanded(const std::string& path, const std::map<std::string, std::string>& values) {
  std::string expanded;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = path[at] == '{' ? path.find('}', at) : path.npos;
    if (end == path.npos) {
      expanded += path[at++];
      continue;
    }
    const std::string name = path.substr(at + 1, end - at - 1);
    const auto value = values.find(name);
    if (value == values.end()) {
      Refuse("found '{" + name + "}' in '" + path + "', expected {show}, {sequence}, {shot} or {version}");
    }
    const std::string& text = value->second;
    if (text.empty()) Refuse("'" + path + "' names {" + name + "}, but `" + name + "` is not given");
    if (text.find_first_of(std::string("/\0", 2)) != text.npos || text[0] == '.') {
      Refuse("`" + name + "` is '" + text + "'; expected a name without '/' that does not begin with '.'");
    }
    expanded += text;
    at = end + 1;
  }
  return expanded;
}

VersionFolders::VersionFolders(const std::string& pattern, int padding, VersionOwner owner)
    : padding_(padding), owner_(std::move(owner)) {
  constexpr const char* kVersion = "{version}";
  std::string name = pattern.substr(0, pattern.find_last_not_of('/') + 1);
  const std::size_t slash = name.rfind('/');
  parent_ = slash == name.npos ? fs::path(".") : fs::path(name.substr(0, slash + 1));
  name = name.substr(slash == name.npos ? 0 : slash + 1);
  const std::size_t at = name.find(kVersion);
  if (at == name.npos || pattern.find(kVersion) != pattern.rfind(kVersion)) {
    Refuse("found '" + pattern + "' as the folder, expected {version} once, in its last name: …/{shot}/{version}");
  }
  prefix_ = name.substr(0, at) + "v";
  suffix_ = name.substr(at + std::strlen(kVersion));
}

std::string VersionFolders::NameOf(int version) const {
  const std::string digits = std::to_string(version);
  const auto width = static_cast<std::size_t>(padding_);
  return "v" + std::string(digits.size() < width ? width - digits.size() : 0, '0') + digits;
}

fs::path VersionFolders::FolderOf(int version) const {
  return parent_ / (prefix_.substr(0, prefix_.size() - 1) + NameOf(version) + suffix_);
}

std::map<int, fs::path> VersionFolders::Found() const {
  std::map<int, fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent_, error)) {
    const std::string name = entry.path().filename();
    if (name.size() <= prefix_.size() + suffix_.size() || name.compare(0, prefix_.size(), prefix_) != 0) continue;
    if (name.compare(name.size() - suffix_.size(), suffix_.size(), suffix_) != 0) continue;
    const char* const begin = name.data() + prefix_.size();
    const char* const end = name.data() + name.size() - suffix_.size();
    int version = 0;
    const auto [read, failed] = std::from_chars(begin, end, version);
    if (failed == std::errc() && read == end && version >= 0) found[version] = entry.path();
  }
  return found;
}

int VersionFolders::TakeNext(const Json& facts) {
  const std::map<int, fs::path> found = Found();
  for (const auto& [version, folder] : found) {
    const Json of = FactsIn(folder);
    if (sdk::TextIn(of, "run_id") == owner_.run_id && sdk::TextIn(of, "stage") == owner_.stage) return version;
  }
  int next = found.empty() ? 0 : found.rbegin()->first;
  for (int i = 0; i < kMaxTries && next < kMaxVersion; ++i) {
    if (Make(++next, facts)) return next;
  }
  throw sdk::StageFailure("plugin_error", "found no version that is free in '" + parent_.string() + "'");
}

void VersionFolders::Take(int version, const Json& facts) {
  if (Make(version, facts)) return;
  const std::string run = sdk::TextIn(FactsIn(FolderOf(version)), "run_id");
  if (run == owner_.run_id) return;
  Refuse("'" + FolderOf(version).string() + "' exists already" + (run.empty() ? "" : " and belongs to run " + run) +
         ", and a version is never overwritten; `version: next` takes a new one");
}

bool VersionFolders::Make(int version, Json facts) const {
  std::error_code error;
  const fs::path folder = FolderOf(version);
  if (fs::exists(folder, error)) return false;
  facts["run_id"] = owner_.run_id;
  facts["stage"] = owner_.stage;
  facts["version"] = version;
  // Each owner has its own, so that it finds what it left when it was killed.
  const std::string token = std::to_string(std::hash<std::string>()(owner_.run_id + "\n" + owner_.stage));
  const fs::path part = parent_ / ("." + folder.filename().string() + "." + token + ".part");
  fs::remove_all(part, error);  // of an attempt that was killed
  if (!fs::create_directories(part, error) && error) FailOf("cannot make '" + part.string() + "'", error.value());
  const std::string text = facts.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  {
    const File file(part / kFacts, O_WRONLY | O_CREAT | O_EXCL);
    file.Write(text.data(), text.size());
    file.Sync();
  }
  const bool made = RenameToNew(part, folder);
  if (!made) fs::remove_all(part, error);
  return made;
}

void CopyWithoutReplacing(const fs::path& file, const fs::path& target) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) Refuse("there is no file '" + file.string() + "'");
  const fs::path part = target.parent_path() / ("." + target.filename().string() + ".part");
  if (!fs::exists(target, error)) {
    fs::remove(part, error);
    const File from(file, O_RDONLY), to(part, O_WRONLY | O_CREAT | O_EXCL);
    std::vector<char> block(kBlock);
    for (std::size_t count; (count = from.Read(block.data(), kBlock)) > 0;) to.Write(block.data(), count);
    to.Sync();
    if (RenameToNew(part, target)) return;
    fs::remove(part, error);
  }
  if (HasSameContent(file, target)) return;
  Refuse("'" + target.string() + "' exists already with other content, and a version is never overwritten; " +
         "`version: next` takes a new one");
}

}  // namespace cosmos::plugins
