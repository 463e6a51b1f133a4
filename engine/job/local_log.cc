#include "job/local_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/error.h"
#include "core/files.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kLeast = 64 << 10;
constexpr std::int64_t kMostNotice = 1024;
constexpr std::size_t kLongestLine = 4096;  // looked through for the beginning of a line

void WriteAll(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw IoError("write", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string NoticeOf(std::int64_t left_out, const std::string& whole) {
  return fmt::format("\n[cosmos-engine] {} bytes are left out here; the whole log is {}\n", left_out, whole);
}

std::string ReadPart(const Fd& file, const fs::path& path, std::int64_t from, std::int64_t to) {
  std::string bytes(static_cast<std::size_t>(std::max<std::int64_t>(0, to - from)), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n =
        ::pread(file.get(), bytes.data() + done, bytes.size() - done, from + static_cast<std::int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) throw IoError("read the log", path, n == 0 ? EIO : errno);
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

void CopyPart(const Fd& from, const fs::path& path, std::int64_t begin, std::int64_t end, const Fd& to,
              const fs::path& next) {
  constexpr std::int64_t kPiece = 1 << 20;
  for (std::int64_t at = begin; at < end; at += kPiece) {
    WriteAll(to.get(), ReadPart(from, path, at, std::min(end, at + kPiece)), next);
  }
}

}  // namespace

void LocalLog::CutLink(const fs::path& from, const fs::path& path, std::int64_t max_bytes, const std::string& whole) {
  max_bytes = std::max(max_bytes, kLeast);
  const Fd file = DemandRegular(from);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw IoError("open the log", from, errno);
  if (info.st_size <= max_bytes) return;
  const std::int64_t head = max_bytes / 4;
  std::int64_t tail = info.st_size - (max_bytes - head - kMostNotice);
  const std::string first = ReadPart(file, from, tail, std::min<std::int64_t>(info.st_size, tail + kLongestLine));
  if (const std::size_t line = first.find('\n'); line != first.npos) tail += static_cast<std::int64_t>(line) + 1;
  const fs::path next = path.string() + ".cut";
  {
    const Fd cut = DemandRegular(next, O_WRONLY | O_CREAT | O_TRUNC);
    CopyPart(file, from, 0, head, cut, next);
    WriteAll(cut.get(), NoticeOf(tail - head, whole.substr(0, kMostNotice / 2)), next);
    CopyPart(file, from, tail, info.st_size, cut, next);
  }
  std::error_code error;
  fs::rename(next, path, error);
  if (error) throw IoError("rename", next, error.value());
}

LocalLog::LocalLog(fs::path path, std::int64_t max_bytes, std::string whole)
    : path_(std::move(path)), max_bytes_(std::max(max_bytes, kLeast)), whole_(whole.substr(0, kMostNotice / 2)) {
  MakePrivateFolder(path_.parent_path());
  Open();
}

void LocalLog::Open() {
  file_ = DemandRegular(path_, O_RDWR | O_CREAT | O_APPEND);
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) throw IoError("open the log", path_, errno);
  size_ = info.st_size;
}

void LocalLog::Append(std::string_view bytes) {
  if (size_ + static_cast<std::int64_t>(bytes.size()) > max_bytes_) return Cut(bytes);
  WriteAll(file_.get(), bytes, path_);
  size_ += static_cast<std::int64_t>(bytes.size());
}

void LocalLog::Shorten(std::int64_t bytes) {
  size_ -= std::min(bytes, size_);
  if (::ftruncate(file_.get(), size_) != 0) throw IoError("shorten the log", path_, errno);
}

void LocalLog::Clear() {
  Shorten(size_);
  head_ = notice_ = left_out_ = 0;
}

std::string LocalLog::Tail(std::size_t most) const {
  return Read(std::max<std::int64_t>(0, size_ - static_cast<std::int64_t>(most)), size_);
}

std::string LocalLog::Read(std::int64_t from, std::int64_t to) const { return ReadPart(file_, path_, from, to); }

// The tail keeps half of the room behind the notice, so that cutting costs each byte about two more writes.
void LocalLog::Cut(std::string_view more) {
  if (!cut()) {
    head_ = max_bytes_ / 4;
    if (size_ < head_) {  // much came at once
      const std::string_view first = more.substr(0, static_cast<std::size_t>(head_ - size_));
      WriteAll(file_.get(), first, path_);
      size_ = head_;
      more.remove_prefix(first.size());
    }
  }
  const std::int64_t keep = (max_bytes_ - max_bytes_ / 4 - kMostNotice) / 2;
  const std::int64_t behind = head_ + notice_;  // where the tail begins
  const std::int64_t all = left_out_ + (size_ - behind) + static_cast<std::int64_t>(more.size());
  std::string tail;
  if (static_cast<std::int64_t>(more.size()) < keep) {
    tail = Read(std::max(behind, size_ - (keep - static_cast<std::int64_t>(more.size()))), size_);
  } else {
    more.remove_prefix(more.size() - static_cast<std::size_t>(keep));
  }
  tail += more;
  if (const std::size_t line = tail.substr(0, kLongestLine).find('\n'); line != tail.npos) tail.erase(0, line + 1);
  left_out_ = all - static_cast<std::int64_t>(tail.size());
  const std::string notice = NoticeOf(left_out_, whole_);
  const fs::path next = path_.string() + ".cut";
  {
    const Fd file = DemandRegular(next, O_WRONLY | O_CREAT | O_TRUNC);
    CopyPart(file_, path_, 0, head_, file, next);
    WriteAll(file.get(), notice, next);
    WriteAll(file.get(), tail, next);
  }
  std::error_code error;
  fs::rename(next, path_, error);
  if (error) throw IoError("rename", next, error.value());
  notice_ = static_cast<std::int64_t>(notice.size());
  Open();
}

}  // namespace cosmos
