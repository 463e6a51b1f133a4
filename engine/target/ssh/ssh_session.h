#pragma once

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/clock.h"
#include "target/ssh/ssh_options.h"

namespace cosmos {

// Asks for the passphrase of an encrypted key, once in the process's life, and remembers it for reconnections. Used by
// one thread.
class Passphrase {
 public:
  // `host`, as NameOf gives it, is named to the person who is asked, unless nobody is to be (`asks`).
  Passphrase(std::string host, bool asks) : host_(std::move(host)), asks_(asks) {}

  // False when nobody is to be asked, there is no terminal to ask on, or nothing was entered. `buffer` has room for
  // `size` bytes with the NUL.
  bool Get(char* buffer, std::size_t size);

 private:
  const std::string host_;
  const bool asks_;
  std::string text_;
};

// One authenticated SSH connection (libssh), in libssh's non-blocking mode. Not thread-safe: one thread makes and uses
// it. Host keys are checked strictly, and only keys and the agent are used to log in.
class SshSession {
 public:
  // Connects and logs in; blocks at most `longest` for each step. Throws Error: kInvalidInput for what will not change
  // by trying again (an unknown or changed host key, a refused login, a wrong option), with what to do about it;
  // kConnectionLost when the host cannot be reached now. `passphrase` must outlive the session.
  SshSession(const SshOptions& options, Passphrase* passphrase, Duration longest);
  ~SshSession();
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;

  ssh_session get() const { return session_; }
  bool connected() const { return ssh_is_connected(session_) != 0; }
  // What libssh says went wrong last.
  std::string Reason() const { return ssh_get_error(session_); }
  // Asks the host for a sign of life. Does not wait for it: it shows as received bytes.
  void SendKeepAlive();
  // Bytes that came from the host so far.
  std::uint64_t received() const { return counter_.in_bytes; }
  // The host's key, as `SHA256:…`.
  std::string Fingerprint() const;

 private:
  void SetOptions(const SshOptions& options, Duration longest);
  void CheckKeysOfUser() const;
  void CheckHostKey(const SshOptions& options);
  void LogIn(const SshOptions& options);

  struct Free {
    void operator()(ssh_session session) const { ssh_free(session); }
  };
  ssh_callbacks_struct callbacks_{};  // libssh keeps a pointer to them as long as the session lives
  ssh_session session_;
  std::unique_ptr<ssh_session_struct, Free> owner_;  // also when the constructor throws
  ssh_counter_struct counter_{};
};

}  // namespace cosmos
