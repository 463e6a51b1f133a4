#pragma once

#include <libssh/libssh.h>

#include <memory>
#include <string>

namespace cosmos {

struct FreeKey {
  void operator()(ssh_key_struct* key) const { ssh_key_free(key); }
};
using SshKey = std::unique_ptr<ssh_key_struct, FreeKey>;

// A private key file that may be tried at a login.
struct Identity {
  enum class State { kUsable, kMissing, kOpen, kUnreadable };

  std::string path;
  State state = State::kMissing;
  std::string problem;  // of kOpen and kUnreadable, for messages
  SshKey public_key;    // null: not known without the passphrase
};

// Looks at a file of `IdentityFile`: a private key, or a public one whose private part an agent has. One that other
// users can read is kOpen, as ssh ignores it; a file of another user, as a key that the system shares, is not ours to
// judge. Reads the public key from FILE.pub, or from the file itself, also of an encrypted one in OpenSSH's format.
Identity FindIdentity(const std::string& path);

// The public key in base64, as known_hosts and agents have it; "" for null.
std::string Base64Of(ssh_key key);

// The certificate in a file; null when there is none that libssh reads, or it is for another key.
SshKey ReadCertificate(const std::string& path, ssh_key public_key);

}  // namespace cosmos
