#pragma once

#include <fcntl.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/fd.h"

namespace cosmos {

// Small things on the local disk. All throw Error{kIo} that names operation, path and reason. Any thread.

// Modes of new files; the umask takes from them. Facts of a run (records, logs, diagnoses) are private, and what people
// share with their team is not.
constexpr unsigned kPrivate = 0600;
constexpr unsigned kShared = 0666;

constexpr std::size_t kMaxOwnFile = std::size_t{256} << 20;  // bytes

enum class Links { kRefuse, kFollow };
// Opens a file that a job may have replaced, and never waits. Nothing when there is no regular file of that name: it is
// missing, or is a FIFO, a device, a folder, or a link.
std::optional<Fd> OpenRegular(const std::filesystem::path& path, int flags = O_RDONLY, unsigned mode = kPrivate,
                              Links links = Links::kRefuse);
// The same, for a file that must be there, or is made with O_CREAT. Throws Error{kIo} that says what is there instead.
Fd DemandRegular(const std::filesystem::path& path, int flags = O_RDONLY, unsigned mode = kPrivate,
                 Links links = Links::kRefuse);

// A file that a person named: it may be a FIFO, of a shell's <(command).
std::string ReadFile(const std::filesystem::path& path);
// The same for a file that somebody else chose, which may be endless. Throws Error{kInvalidInput} when it has more than
// `max` bytes, or is a FIFO or socket that stands in a folder by that name, which nobody may ever write to.
std::string ReadFileUpTo(const std::filesystem::path& path, std::size_t max);
// A file that the engine or a job made, as DemandRegular opens it. Throws Error{kIo} when it has more than `max` bytes.
std::string ReadOwnFile(const std::filesystem::path& path, std::size_t max = kMaxOwnFile);
// The last bytes of such a file, at most `most`; "" when there is none.
std::string ReadTail(const std::filesystem::path& path, std::size_t most);
// Writes beside the file and renames, so a reader sees the old or the new content, whole.
void WriteFileAtomically(const std::filesystem::path& path, std::string_view content, unsigned mode = kPrivate);
// Writes a new file that nobody reads yet; an old one is replaced.
void WriteFile(const std::filesystem::path& path, std::string_view content, unsigned mode = kPrivate);
void AppendToFile(const std::filesystem::path& path, std::string_view content);
// The folder and its parents; existing ones are left alone.
void MakeFolders(const std::filesystem::path& path, unsigned mode = 0777);
// The same, for what only its owner may look into; its parents are as others.
void MakePrivateFolder(const std::filesystem::path& path);
// Gives `path` the content of `from` without copying where the file system can (a hard link), replacing what is there.
void LinkOrCopy(const std::filesystem::path& from, const std::filesystem::path& path);
// Makes `link` a symbolic link to `to`, replacing another link in one step.
void Symlink(const std::filesystem::path& to, const std::filesystem::path& link);
// Moves a file, also across file systems: then it is copied beside the destination and renamed into place.
void MoveFile(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace cosmos
