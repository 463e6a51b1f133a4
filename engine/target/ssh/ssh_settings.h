#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "target/ssh/ssh_options.h"
#include "target/ssh/ssh_tokens.h"

namespace cosmos {

// How a host is reached: what a target says and, for the rest, what ssh_config(5) says. Tokens and `~` are replaced,
// but for `proxy_command`. A value.
struct SshSettings {
  enum class HostKeys { kKnownOnly, kNewToo };  // StrictHostKeyChecking

  std::string host;  // as ssh connects to it
  int port = 22;
  std::string user;
  std::string host_key_alias;
  std::string address_family = "any";  // inet, inet6
  std::string bind_address;
  std::string bind_interface;
  Duration connect_timeout{};  // 0: not said
  bool tcp_keep_alive = true;

  std::vector<std::string> identities;    // private keys, in the order in which they are tried
  std::vector<std::string> certificates;  // CertificateFile
  bool identities_only = false;
  std::string agent;  // a socket; empty: no agent
  bool public_keys = true;

  std::vector<std::string> known_hosts;  // the user's; new keys go to the first
  std::vector<std::string> global_known_hosts;
  std::string revoked_host_keys;
  HostKeys host_keys = HostKeys::kKnownOnly;
  bool hash_known_hosts = false;
  bool trusts_loopback = false;  // NoHostAuthenticationForLocalhost

  std::string proxy_command;              // for /bin/sh, complete; empty: none
  std::vector<std::string> proxy_jumps;   // [USER@]HOST[:PORT], the nearest first
  std::vector<std::string> config_words;  // for another `ssh` to read the same files

  // Lists as ssh has them; what libssh does not know is left out. Empty: libssh's own.
  std::string ciphers, macs, key_exchanges, host_key_algorithms, public_key_algorithms;
  bool compression = false;

  std::vector<std::string> AllKnownHosts() const;
};

// The jumps of a list with commas, or of `none`.
std::vector<std::string> JumpsOf(const std::string& list);

// What the user's home folder and name, this machine's and the target's say; for ExpandPath.
SshTokens TokensOf(const SshSettings& settings, const std::string& original_host, const std::string& home);

// Reads what `ssh -G` prints. `options` are the target's own settings, whose identity and known_hosts win, and in which
// `%` and `$` are themselves. Throws Error{kInvalidInput} for what cannot be obeyed. See docs/ssh.md.
SshSettings ReadSettings(std::string_view answer, const SshOptions& options);

// In place of the target's identity in the questions to `ssh -G`, which would replace tokens in it.
inline constexpr char kOwnIdentity[] = "identity-of-the-target";

}  // namespace cosmos
