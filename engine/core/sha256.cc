#include "core/sha256.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <vector>

#include "core/error.h"
#include "core/files.h"

namespace cosmos {
namespace {

[[noreturn]] void Fail() { throw Error(ErrorCode::kInternal, "libcrypto cannot compute a SHA-256"); }

}  // namespace

struct Sha256Sum::Context {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> md{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

Sha256Sum::Sha256Sum() : context_(std::make_unique<Context>()) {
  if (context_->md == nullptr || EVP_DigestInit_ex(context_->md.get(), EVP_sha256(), nullptr) != 1) Fail();
}

Sha256Sum::~Sha256Sum() = default;

void Sha256Sum::Add(std::string_view bytes) {
  if (EVP_DigestUpdate(context_->md.get(), bytes.data(), bytes.size()) != 1) Fail();
}

std::string Sha256Sum::Hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(context_->md.get(), bytes.data(), &size) != 1) Fail();
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[bytes[i] >> 4];
    hex += "0123456789abcdef"[bytes[i] & 15];
  }
  return hex;
}

std::string Sha256(std::string_view bytes) {
  Sha256Sum sum;
  sum.Add(bytes);
  return sum.Hex();
}

std::string Sha256OfFile(const std::filesystem::path& path, std::int64_t size) {
  const Fd file = DemandRegular(path, O_RDONLY, kPrivate, Links::kFollow);
  Sha256Sum sum;
  std::vector<char> buffer(1 << 18);
  std::uint64_t left = size < 0 ? std::numeric_limits<std::uint64_t>::max() : static_cast<std::uint64_t>(size);
  while (left > 0) {
    const ssize_t n = ::read(file.get(), buffer.data(), std::min<std::uint64_t>(left, buffer.size()));
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw IoError("read", path, errno);
    sum.Add({buffer.data(), static_cast<size_t>(n)});
    left -= static_cast<std::uint64_t>(n);
  }
  return sum.Hex();
}

std::string Sha256OfSums(const std::map<std::string, std::string>& sums) {
  Sha256Sum sum;
  for (const auto& [name, sha256] : sums) sum.Add(sha256 + " " + name + "\n");
  return sum.Hex();
}

}  // namespace cosmos
