#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/fd.h"

namespace cosmos {

// A log file on this machine that does not grow for ever: beyond its limit its head and its tail stay, with a notice
// between them that says how much is left out and where the whole is. Readers see the file before or after it was cut,
// never half of it. Not thread-safe. All functions throw Error{kIo}.
class LocalLog {
 public:
  // Opens or creates the file. `whole` says in the notice where the whole log is. A limit below 64 KiB is taken for 64
  // KiB.
  LocalLog(std::filesystem::path path, std::int64_t max_bytes, std::string whole);

  void Append(std::string_view bytes);
  // Takes the last bytes away again.
  void Shorten(std::int64_t bytes);
  // Begins anew.
  void Clear();
  // Gives `path` the head and the tail of the complete log `from`, with the notice between them, when that is larger
  // than the limit; in one step, and without changing `from`, even if it is the same file by another name.
  static void CutLink(const std::filesystem::path& from, const std::filesystem::path& path, std::int64_t max_bytes,
                      const std::string& whole);
  // The last bytes, at most `most`.
  std::string Tail(std::size_t most) const;

  std::int64_t size() const { return size_; }
  // Whether something is left out.
  bool cut() const { return left_out_ > 0; }
  const std::filesystem::path& path() const { return path_; }

 private:
  void Open();
  std::string Read(std::int64_t from, std::int64_t to) const;
  // Leaves out the middle, so that the end of what is there and of `more` has room.
  void Cut(std::string_view more);

  const std::filesystem::path path_;
  const std::int64_t max_bytes_;
  const std::string whole_;
  Fd file_;
  std::int64_t size_ = 0;
  std::int64_t head_ = 0;      // when cut: bytes before the notice
  std::int64_t notice_ = 0;    // and of the notice
  std::int64_t left_out_ = 0;  // bytes
};

}  // namespace cosmos
