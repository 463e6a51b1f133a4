#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace cosmos {

// Where and how a host is reached. A value. What is empty or 0 comes from ssh_config(5), as ssh has it.
struct SshOptions {
  std::string host;  // an alias of ssh_config, a name or an address
  int port = 0;
  std::string user;
  std::string identity;     // a private key file; ~ is the home folder
  std::string known_hosts;  // instead of ~/.ssh/known_hosts
  std::string proxy_jump;   // [USER@]HOST[:PORT] to go through, several with commas between them, or `none`
  bool asks = true;         // for a key's passphrase, on a terminal
  bool learns = false;      // keeps a new host key where StrictHostKeyChecking accepts it
};

// From `ssh:` of a target, as the workflow's schema shapes it: an alias, or an object.
SshOptions SshOptionsOf(const nlohmann::json& ssh);

// For messages: user@host:port as far as they are given.
std::string NameOf(const SshOptions& options);

}  // namespace cosmos
