#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace cosmos {

// Where and how a host is reached. A value. What is empty or 0 comes from ~/.ssh/config, or is as ssh has it.
struct SshOptions {
  std::string host;  // an alias of ~/.ssh/config, a name or an address
  int port = 0;
  std::string user;
  std::string identity;     // a private key file; ~ is the home folder
  std::string known_hosts;  // instead of ~/.ssh/known_hosts
  std::string proxy_jump;   // [USER@]HOST[:PORT] to go through
  bool asks = true;         // for a key's passphrase, on a terminal
};

// From `ssh:` of a target, as the workflow's schema shapes it: an alias, or an object.
SshOptions SshOptionsOf(const nlohmann::json& ssh);

// For messages: user@host:port as far as they are given.
std::string NameOf(const SshOptions& options);

}  // namespace cosmos
