#include "target/ssh/account.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace cosmos {
namespace {

constexpr std::size_t kMaxEntry = 1 << 16;

template <typename Get>
std::optional<Account> Find(Get get) {
  std::vector<char> buffer(kMaxEntry);
  passwd entry{};
  passwd* found = nullptr;
  if (get(&entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return std::nullopt;
  return Account{found->pw_name, found->pw_dir};
}

}  // namespace

Account OwnAccount() {
  return Find([](auto... rest) { return ::getpwuid_r(::getuid(), rest...); }).value_or(Account());
}

std::optional<Account> FindAccount(const std::string& name) {
  return Find([&](auto... rest) { return ::getpwnam_r(name.c_str(), rest...); });
}

std::string HomeFolder() {
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? home : OwnAccount().home;
}

}  // namespace cosmos
