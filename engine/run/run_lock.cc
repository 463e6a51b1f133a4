#include "run/run_lock.h"

#include <fcntl.h>

#include <cerrno>

#include "core/error.h"
#include "core/files.h"

namespace cosmos {
namespace {

struct flock WholeFile(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& path) : file_(DemandRegular(path, O_RDWR | O_CREAT)) {
  struct flock lock = WholeFile(F_WRLCK);
  if (::fcntl(file_.get(), F_SETLK, &lock) == 0) return;
  if (errno != EACCES && errno != EAGAIN) throw IoError("lock", path, errno);
  const auto holder = Holder(path);
  throw Error(ErrorCode::kConflict,
              "the run is being carried out by another engine" +
                  (holder ? " (process " + std::to_string(*holder) + ")" : std::string()),
              "watch it with `cosmos-engine logs -f` or end it with `cosmos-engine cancel`");
}

std::optional<pid_t> RunLock::Holder(const std::filesystem::path& path) {
  Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.valid()) return std::nullopt;
  struct flock lock = WholeFile(F_WRLCK);
  if (::fcntl(file.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return std::nullopt;
  return lock.l_pid;
}

}  // namespace cosmos
