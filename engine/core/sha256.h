#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace cosmos {

// The SHA-256 of bytes that come in pieces. Not thread-safe. Throws Error{kInternal} when libcrypto cannot work.
class Sha256Sum {
 public:
  Sha256Sum();
  ~Sha256Sum();
  Sha256Sum(const Sha256Sum&) = delete;
  Sha256Sum& operator=(const Sha256Sum&) = delete;

  void Add(std::string_view bytes);
  // 64 lower-case hex digits. To be called once, last.
  std::string Hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// SHA-256 as 64 lower-case hex digits. Any thread.
std::string Sha256(std::string_view bytes);
// The same of a file's content, read in pieces; of its first `size` bytes, unless that is negative. Throws Error{kIo}.
std::string Sha256OfFile(const std::filesystem::path& path, std::int64_t size = -1);
// The same of several files as one: of their own, given by name, so it follows their names too.
std::string Sha256OfSums(const std::map<std::string, std::string>& sums);

}  // namespace cosmos
