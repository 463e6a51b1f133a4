#pragma once

#include <libssh/libssh.h>

#include <string>
#include <vector>

#include "target/ssh/passphrase.h"
#include "target/ssh/ssh_keys.h"
#include "target/ssh/ssh_settings.h"

namespace cosmos {

// Logs in with public keys as ssh does: certificates of the settings first, then the agent's keys, those of the
// settings before others, then the other key files. Used by one thread, for one login.
class SshLogin {
 public:
  // The pointers must outlive it. `session` is connected, in blocking mode.
  SshLogin(ssh_session session, const SshSettings& settings, Passphrase* passphrase)
      : session_(session), settings_(settings), passphrase_(*passphrase) {}

  // False when the host accepts no key, or the connection was lost.
  bool Try();
  // What was tried and what became of it, for messages.
  const std::vector<std::string>& tried() const { return tried_; }

 private:
  bool TryAgent();
  bool TryCertificates();
  bool TryFile(const Identity& identity);
  bool Offer(ssh_key public_key, const Identity& identity, ssh_key certificate);
  void Note(const std::string& what, const std::string& became) { tried_.push_back(what + ": " + became); }
  std::string ResultOf(int result) const;

  const ssh_session session_;
  const SshSettings& settings_;
  Passphrase& passphrase_;
  std::vector<Identity> identities_;
  std::vector<std::string> agent_keys_;
  std::vector<std::string> tried_;
};

}  // namespace cosmos
