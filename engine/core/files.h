#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace cosmos {

// Small things on the local disk. All throw Error{kIo} that names operation, path and reason. Any thread.

std::string ReadFile(const std::filesystem::path& path);
// The same for a file that somebody else chose, which may be endless. Throws Error{kInvalidInput} when it has more than
// `max` bytes.
std::string ReadFileUpTo(const std::filesystem::path& path, std::size_t max);
// Its last bytes, at most `most`.
std::string ReadTail(const std::filesystem::path& path, std::size_t most);
// Writes beside the file and renames, so a reader sees the old or the new content, whole.
void WriteFileAtomically(const std::filesystem::path& path, std::string_view content);
// Writes a new file that nobody reads yet; an old one is replaced. `mode` is limited by the umask.
void WriteFile(const std::filesystem::path& path, std::string_view content, unsigned mode = 0666);
void AppendToFile(const std::filesystem::path& path, std::string_view content);
// The folder and its parents; existing ones are left alone.
void MakeFolders(const std::filesystem::path& path, unsigned mode = 0777);
// Gives `path` the content of `from` without copying where the file system can (a hard link), replacing what is there.
void LinkOrCopy(const std::filesystem::path& from, const std::filesystem::path& path);
// Makes `link` a symbolic link to `to`, replacing another link in one step.
void Symlink(const std::filesystem::path& to, const std::filesystem::path& link);
// Moves a file, also across file systems: then it is copied beside the destination and renamed into place.
void MoveFile(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace cosmos
