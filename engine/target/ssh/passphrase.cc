#include "target/ssh/passphrase.h"

#include <libssh/libssh.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "core/text.h"

namespace cosmos {

bool Passphrase::Get(const std::string& key, char* buffer, std::size_t size) {
  std::string& text = texts_[key];
  if (text.empty()) {
    if (!asks_ || ::isatty(STDIN_FILENO) == 0) return false;
    std::vector<char> typed(size);
    const std::string prompt = "passphrase of " + Harmless(key) + " for " + Harmless(host_) + ": ";
    if (ssh_getpass(prompt.c_str(), typed.data(), size, 0, 0) != 0) return false;
    text = typed.data();
  }
  if (text.empty() || text.size() >= size) return false;
  std::memcpy(buffer, text.c_str(), text.size() + 1);
  return true;
}

}  // namespace cosmos
