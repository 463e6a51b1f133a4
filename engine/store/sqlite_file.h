#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"

// A database as a file: what is done to it below ODB. Any thread.
namespace cosmos {
namespace store {

constexpr int kBusyTimeoutMs = 10000;

// The Error{kUnavailable} for SQLite's result `code` with its text `reason`: path, what happened, what to do.
Error DatabaseError(const std::string& path, int code, const std::string& reason);

// Makes the missing folders (mode 0700) and an empty file (mode 0600) at `path`. An existing file is left as it is.
void CreateFile(const std::string& path);

// The version recorded in the file at `path`, 0 when it has no schema yet. Changes nothing. Throws kNotFound when there
// is no such file, kUnavailable when it cannot be read or belongs to another program.
std::uint64_t SchemaVersionOf(const std::string& path);

enum class Thoroughness {
  kQuick,  // whether its pages hang together
  kFull,   // and its indices and references agree with its tables
};
// What is wrong with the database at `path`, as a connection of its own finds it on disk; at most 100 sentences, none
// for a sound one. Takes time in proportion to its size. Throws kNotFound when there is no such file, kUnavailable when
// it cannot be opened or is locked.
std::vector<std::string> FindDamage(const std::string& path, Thoroughness thoroughness);

// Bytes of the file; 0 when it cannot be looked at.
std::int64_t SizeOf(const std::string& path);

// A consistent copy of `from`, in use or not, into the new file `to`. Throws kConflict when `to` exists, and leaves no
// half of a copy behind.
void CopyDatabase(const std::string& from, const std::string& to);

}  // namespace store
}  // namespace cosmos
