#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace cosmos {

// Asks for the passphrases of encrypted keys, once in the process's life, and remembers them for reconnections. Used by
// one thread.
class Passphrase {
 public:
  // `host`, as NameOf gives it, is named to the person who is asked, unless nobody is to be (`asks`).
  Passphrase(std::string host, bool asks) : host_(std::move(host)), asks_(asks) {}

  // Of the key in the file `key`. False when nobody is to be asked, there is no terminal to ask on, or nothing was
  // entered. `buffer` has room for `size` bytes with the NUL.
  bool Get(const std::string& key, char* buffer, std::size_t size);
  // It was wrong: ask again next time.
  void Forget(const std::string& key) { texts_.erase(key); }

 private:
  const std::string host_;
  const bool asks_;
  std::map<std::string, std::string> texts_;  // by key
};

}  // namespace cosmos
