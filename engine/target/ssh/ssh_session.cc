#include "target/ssh/ssh_session.h"

#include <libssh/server.h>

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "core/text.h"
#include "target/ssh/account.h"
#include "target/ssh/host_key_check.h"
#include "target/ssh/ssh_client.h"
#include "target/ssh/ssh_dial.h"
#include "target/ssh/ssh_login.h"
#include "target/ssh/ssh_tokens.h"

namespace cosmos {
namespace {

// The command by which a person tries the same.
std::string TryIt(const SshOptions& options, const std::string& name) {
  return "`ssh " + (options.port == 0 ? "" : "-p " + std::to_string(options.port) + " ") + name + "`";
}

// What the target itself names has to be there; of the configuration's keys, those that are there are tried.
void CheckOwnIdentity(const SshOptions& options, const SshSettings& settings) {
  if (options.identity.empty()) return;
  const Identity identity = FindIdentity(ExpandTilde(options.identity, HomeFolder()));
  switch (identity.state) {
    case Identity::State::kUsable:
      return;
    case Identity::State::kOpen:
      throw Error(ErrorCode::kInvalidInput, identity.problem,
                  "`chmod 600 " + ShellQuote(identity.path) + "`; if others may have read it, replace it by a new one");
    case Identity::State::kMissing:
    case Identity::State::kUnreadable:
      if (identity.public_key && !settings.agent.empty()) return;  // the agent may have the private one
      throw Error(ErrorCode::kInvalidInput,
                  identity.problem.empty()
                      ? "the private key " + identity.path + " cannot be read: there is no such file"
                      : identity.problem,
                  "check `identity:` of the target");
  }
}

}  // namespace

SshSession::SshSession(const SshOptions& options, const SshSettings& settings, Passphrase* passphrase, Duration longest,
                       const CancelToken& cancel)
    : session_(ssh_new()), owner_(session_) {
  if (session_ == nullptr) throw Error(ErrorCode::kInternal, "libssh gives no session");
  if (settings.connect_timeout > Duration::zero()) longest = settings.connect_timeout;
  CheckOwnIdentity(options, settings);
  SetOptions(options, settings, longest);
  SetAlgorithms(settings);
  const bool is_loopback = Connect(options, settings, longest, cancel);
  if (!is_loopback || !settings.trusts_loopback) CheckHostKey(session_, settings, options.learns);
  LogIn(options, settings, passphrase);
  ssh_set_counters(session_, &counter_, nullptr);
  ssh_set_blocking(session_, 0);
}

SshSession::~SshSession() {
  ssh_set_counters(session_, nullptr, nullptr);
  ssh_disconnect(session_);
}

void SshSession::SetOptions(const SshOptions& options, const SshSettings& settings, Duration longest) {
  const auto set = [&](ssh_options_e option, const void* value) {
    if (ssh_options_set(session_, option, value) == SSH_OK) return;
    throw Error(ErrorCode::kInvalidInput, "the SSH options of " + NameOf(options) + " are wrong: " + Reason());
  };
  const long seconds = std::max<long>(1, std::chrono::ceil<std::chrono::seconds>(longest).count());
  const int yes = 1;
  const bool no = false;
  set(SSH_OPTIONS_PROCESS_CONFIG, &no);
  set(SSH_OPTIONS_SSH_DIR, EscapeTokens(HomeFolder() + "/.ssh").c_str());
  set(SSH_OPTIONS_HOST, settings.host.c_str());
  set(SSH_OPTIONS_PORT, &settings.port);
  set(SSH_OPTIONS_USER, settings.user.c_str());
  set(SSH_OPTIONS_TIMEOUT, &seconds);
  set(SSH_OPTIONS_NODELAY, &yes);
  // Host keys are checked here (known_hosts.h): libssh knows one file of each kind and no markers.
  set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
  set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
  const std::string proxy = settings.proxy_jumps.empty() ? settings.proxy_command : JumpCommand(settings);
  if (!proxy.empty()) set(SSH_OPTIONS_PROXYCOMMAND, EscapeTokens(proxy).c_str());
}

// libssh leaves out what it does not know, and keeps its own choice where that is all.
void SshSession::SetAlgorithms(const SshSettings& settings) {
  const auto set = [&](ssh_options_e option, const std::string& list) {
    if (!list.empty()) ssh_options_set(session_, option, list.c_str());
  };
  set(SSH_OPTIONS_CIPHERS_C_S, settings.ciphers);
  set(SSH_OPTIONS_CIPHERS_S_C, settings.ciphers);
  set(SSH_OPTIONS_HMAC_C_S, settings.macs);
  set(SSH_OPTIONS_HMAC_S_C, settings.macs);
  set(SSH_OPTIONS_KEY_EXCHANGE, settings.key_exchanges);
  set(SSH_OPTIONS_HOSTKEYS, HostKeyAlgorithms(settings));
  set(SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, settings.public_key_algorithms);
  set(SSH_OPTIONS_COMPRESSION, settings.compression ? "yes" : "no");
}

bool SshSession::Connect(const SshOptions& options, const SshSettings& settings, Duration longest,
                         const CancelToken& cancel) {
  const auto fail = [&](const std::string& reason) {
    throw Error(ErrorCode::kConnectionLost, "cannot connect to " + NameOf(options) + ": " + reason,
                "check that the host is up and that " + TryIt(options, options.host) + " works");
  };
  bool is_loopback = false;
  try {
    if (settings.proxy_command.empty() && settings.proxy_jumps.empty()) {
      Fd connection = Dial(settings, longest, cancel);
      is_loopback = IsLoopback(connection);
      const int fd = connection.get();
      ssh_options_set(session_, SSH_OPTIONS_FD, &fd);
      connection.Release();
    }
  } catch (const Error& error) {
    fail(error.message());
  }
  const bool connected = ssh_connect(session_) == SSH_OK;
  const std::string reason = Reason();
  ssh_options_set(session_, SSH_OPTIONS_FD, nullptr);  // otherwise libssh would not close what it was given
  if (!connected) fail(reason);
  return is_loopback;
}

void SshSession::LogIn(const SshOptions& options, const SshSettings& settings, Passphrase* passphrase) {
  const std::string name = settings.user + "@" + settings.host;
  if (!settings.public_keys) {
    throw Error(ErrorCode::kInvalidInput, "your ssh_config has `PubkeyAuthentication no` for " + name,
                "allow it for this host: the engine logs in with keys alone");
  }
  SshLogin login(session_, settings, passphrase);
  if (login.Try()) return;
  const bool refused = Reason().find("authentication failures") != std::string::npos;  // after MaxAuthTries
  if (!connected() && !refused) {
    throw Error(ErrorCode::kConnectionLost, "the connection to " + NameOf(options) + " ended at login: " + Reason());
  }
  const std::string tried = login.tried().empty() ? "there is no key to try" : Join(login.tried(), "; ");
  throw Error(ErrorCode::kInvalidInput,
              "the host refuses the login " + name + ": no key that it accepts was found (" + tried + ")",
              "try " + TryIt(options, name) +
                  "; give the key as `identity:` of the target or load it into the agent with " +
                  "`ssh-add` (an encrypted key is asked for on a terminal only)");
}

// The reply to an earlier one is noticed by the next call, which then sends nothing: hence two.
void SshSession::SendKeepAlive() {
  ssh_send_keepalive(session_);
  ssh_send_keepalive(session_);
}

std::string SshSession::Fingerprint() const { return FingerprintOf(session_); }

}  // namespace cosmos
