#include "core/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>

#include "core/error.h"
#include "core/fd.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

// A name beside `path` that no other writer of this machine uses.
fs::path TemporaryBeside(const fs::path& path) {
  constexpr std::size_t kMaxName = 200;  // of 255, to which the rest is added
  static std::atomic<unsigned> counter{0};
  const bool is_long = path.filename().native().size() > kMaxName;
  return (is_long ? path.parent_path() / ".long" : path).string() + ".tmp-" + std::to_string(::getpid()) + "-" +
         std::to_string(counter.fetch_add(1));
}

void WriteAll(const Fd& file, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(file.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw IoError("write", path, errno);
    content.remove_prefix(static_cast<size_t>(n));
  }
}

Fd OpenForWriting(const fs::path& path, int flags, unsigned mode) {
  return DemandRegular(path, O_WRONLY | O_CREAT | flags, mode);
}

Fd OpenForReading(const fs::path& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) throw IoError("read", path, errno);
  return file;
}

// What stands behind the file's position; stops soon after `enough` bytes.
std::string ReadFrom(const Fd& file, const fs::path& path, std::size_t enough = std::string::npos) {
  std::string content;
  char buffer[16384];
  for (;;) {
    if (content.size() >= enough) return content;
    const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
    if (n == 0) return content;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw IoError("read", path, errno);
    content.append(buffer, static_cast<size_t>(n));
  }
}

std::string OperationOf(int flags) { return (flags & O_ACCMODE) == O_RDONLY ? "read" : "write"; }

std::string KindOf(const fs::path& path) {
  std::error_code error;
  switch (fs::symlink_status(path, error).type()) {
    case fs::file_type::symlink:
      return "a symbolic link";
    case fs::file_type::fifo:
      return "a FIFO";
    case fs::file_type::directory:
      return "a folder";
    default:
      return "a device or socket";
  }
}

}  // namespace

std::string ReadFileUpTo(const fs::path& path, std::size_t max) {
  std::error_code error;
  const fs::file_type type = fs::symlink_status(path, error).type();
  if (type == fs::file_type::fifo || type == fs::file_type::socket) {
    throw Error(ErrorCode::kInvalidInput, "found " + KindOf(path) + " at '" + path.string() + "', expected a file",
                "check the path");
  }
  std::string content = ReadFrom(OpenForReading(path), path, max + 1);
  if (content.size() <= max) return content;
  throw Error(ErrorCode::kInvalidInput, "'" + path.string() + "' is larger than " + std::to_string(max >> 20) + " MiB",
              "give a smaller file");
}

std::optional<Fd> OpenRegular(const fs::path& path, int flags, unsigned mode, Links links) {
  const int careful = O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (links == Links::kRefuse ? O_NOFOLLOW : 0);
  Fd file(::open(path.c_str(), flags | careful, mode));
  // ENXIO: a FIFO without a reader, or a socket; ELOOP: a link; EISDIR: a folder.
  if (!file.valid() && (errno == ENOENT || errno == ENXIO || errno == ELOOP || errno == EISDIR)) return std::nullopt;
  struct stat info {};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) throw IoError(OperationOf(flags), path, errno);
  if (!S_ISREG(info.st_mode)) return std::nullopt;
  return file;
}

Fd DemandRegular(const fs::path& path, int flags, unsigned mode, Links links) {
  if (auto file = OpenRegular(path, flags, mode, links)) return std::move(*file);
  std::error_code error;
  if (fs::symlink_status(path, error).type() == fs::file_type::not_found)
    throw IoError(OperationOf(flags), path, ENOENT);
  throw Error(ErrorCode::kIo, "found " + KindOf(path) + " at '" + path.string() + "', expected a regular file",
              "find out what put it there, and remove it");
}

std::string ReadOwnFile(const fs::path& path, std::size_t max) {
  std::string content = ReadFrom(DemandRegular(path), path, max + 1);
  if (content.size() <= max) return content;
  throw Error(ErrorCode::kIo, "'" + path.string() + "' has more than " + std::to_string(max) + " bytes",
              "find out what wrote it, and remove it");
}

std::string ReadFile(const fs::path& path) { return ReadFrom(OpenForReading(path), path); }

std::string ReadTail(const fs::path& path, std::size_t most) {
  const auto file = OpenRegular(path, O_RDONLY, kPrivate, Links::kFollow);
  if (!file) return "";
  // A file that is shorter is read from its start, where the position is.
  ::lseek(file->get(), -static_cast<off_t>(most), SEEK_END);
  return ReadFrom(*file, path);
}

void WriteFile(const fs::path& path, std::string_view content, unsigned mode) {
  WriteAll(OpenForWriting(path, O_TRUNC, mode), content, path);
}

void AppendToFile(const fs::path& path, std::string_view content) {
  WriteAll(OpenForWriting(path, O_APPEND, kPrivate), content, path);
}

void WriteFileAtomically(const fs::path& path, std::string_view content, unsigned mode) {
  const fs::path temporary = TemporaryBeside(path);
  try {
    WriteFile(temporary, content, mode);
  } catch (const Error&) {
    ::unlink(temporary.c_str());  // a full disk is no place for leavings
    throw;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    throw IoError("replace", path, reason);
  }
}

void MakeFolders(const fs::path& path, unsigned mode) {
  if (path.empty() || ::mkdir(path.c_str(), mode) == 0) return;
  if (errno == ENOENT) {
    MakeFolders(path.parent_path(), mode);
    if (::mkdir(path.c_str(), mode) == 0) return;
  }
  struct stat info {};
  if (errno == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return;
  throw IoError("make the folder", path, errno == EEXIST ? ENOTDIR : errno);
}

void MakePrivateFolder(const fs::path& path) {
  MakeFolders(path.parent_path());
  MakeFolders(path, 0700);
}

void LinkOrCopy(const fs::path& from, const fs::path& path) {
  if (::link(from.c_str(), path.c_str()) == 0) return;
  const fs::path temporary = TemporaryBeside(path);
  if (errno != EEXIST || ::link(from.c_str(), temporary.c_str()) != 0) {
    std::error_code error;
    fs::copy_file(from, temporary, error);
    if (error) throw IoError("copy to", path, error.value());
  }
  // Two links to one file: rename does nothing and leaves the temporary name.
  if (::rename(temporary.c_str(), path.c_str()) != 0) throw IoError("replace", path, errno);
  ::unlink(temporary.c_str());
}

void Symlink(const fs::path& to, const fs::path& link) {
  if (::symlink(to.c_str(), link.c_str()) == 0) return;
  if (errno != EEXIST) throw IoError("link", link, errno);
  const fs::path temporary = TemporaryBeside(link);
  if (::symlink(to.c_str(), temporary.c_str()) != 0) throw IoError("link", temporary, errno);
  if (::rename(temporary.c_str(), link.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    throw IoError("replace the link", link, reason);
  }
}

void MoveFile(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return;
  if (errno != EXDEV) throw IoError("move '" + from.string() + "' to", to, errno);
  const fs::path temporary = TemporaryBeside(to);
  std::error_code error;
  fs::copy_file(from, temporary, error);
  if (error) throw IoError("copy to", temporary, error.value());
  if (::rename(temporary.c_str(), to.c_str()) != 0) throw IoError("replace", to, errno);
  ::unlink(from.c_str());
}

}  // namespace cosmos
