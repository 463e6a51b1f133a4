#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "target/target.h"

// What is executed on a host: short scripts that need nothing but a POSIX shell with awk, GNU coreutils and grep,
// setsid of util-linux and Linux's /proc (see proc(5)); and the reading of what they print. RemoteFrame says how they
// get there. Pure functions; any thread.
namespace cosmos {

// Where jobs work on a host unless its target says otherwise.
constexpr const char* kDefaultWorkdir = "~/cosmos-engine";
// The folder for a shell: `~/` is the home folder, and what is not absolute is below it.
std::string FolderWords(const std::string& folder);

// Prints `new PID START BOOT` or `attached PID START BOOT`, the fields of the handle, or `foreign`; fails with what is
// wrong on stderr, and then the job will not start later either.
std::string SubmitScript(const JobOrder& order);
// Prints `PID START BOOT`, or nothing when no job was started in the folder.
std::string FindScript(const std::string& folder);

// Prints what ParseState reads.
std::string PollScript(const JobHandle& handle);
// Throws Error{kUnavailable} for anything else.
JobState ParseState(const std::string& output);
// Prints something or ends when the job has ended (it may also end early, so the job is to be polled then), or when
// stdin is closed.
std::string WatchScript(const JobHandle& handle);
// Ends all that the job started; prints `gone`, or the processes that are left.
std::string CancelScript(const JobHandle& handle, Duration grace);

// Prints a line `SIZE FILE`, as ParseLogPiece reads it, and the bytes.
std::string ReadLogScript(const JobHandle& handle, std::int64_t offset, std::size_t limit);
LogPiece ParseLogPiece(std::string output);
// Prints the log from `offset` on as it grows, until stdin is closed; says on stderr what FollowSawChange sees.
std::string FollowLogScript(const JobHandle& handle, std::int64_t offset);
bool FollowSawChange(const std::string& errors);
// Prints `SIZE SHA256` of the first `size` bytes.
std::string DigestOfLogScript(const JobHandle& handle, std::int64_t size);

}  // namespace cosmos
