#pragma once

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <cstdint>
#include <memory>
#include <string>

#include "core/cancel.h"
#include "core/clock.h"
#include "target/ssh/passphrase.h"
#include "target/ssh/ssh_options.h"
#include "target/ssh/ssh_settings.h"

namespace cosmos {

// One authenticated SSH connection (libssh), in libssh's non-blocking mode. Not thread-safe: one thread makes and uses
// it. Host keys are checked strictly, and only keys and the agent are used to log in.
class SshSession {
 public:
  // Connects and logs in, as `settings`, made of `options`, say; blocks at most `longest`, or ConnectTimeout, for each
  // step. Throws Error: kInvalidInput for what will not change by trying again (an unknown or changed host key, a
  // refused login, a wrong option), with what to do about it; kConnectionLost when the host cannot be reached now.
  SshSession(const SshOptions& options, const SshSettings& settings, Passphrase* passphrase, Duration longest,
             const CancelToken& cancel);
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
  void SetOptions(const SshOptions& options, const SshSettings& settings, Duration longest);
  void SetAlgorithms(const SshSettings& settings);
  // Whether the other end is the loopback address itself.
  bool Connect(const SshOptions& options, const SshSettings& settings, Duration longest, const CancelToken& cancel);
  void LogIn(const SshOptions& options, const SshSettings& settings, Passphrase* passphrase);

  struct Free {
    void operator()(ssh_session session) const { ssh_free(session); }
  };
  ssh_session session_;
  std::unique_ptr<ssh_session_struct, Free> owner_;  // also when the constructor throws
  ssh_counter_struct counter_{};
};

}  // namespace cosmos
