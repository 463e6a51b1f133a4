#include "target/ssh/ssh_options.h"

namespace cosmos {

SshOptions SshOptionsOf(const nlohmann::json& ssh) {
  SshOptions options;
  if (ssh.is_string()) {
    options.host = ssh;
    return options;
  }
  options.host = ssh.at("host");
  options.port = ssh.value("port", 0);
  options.user = ssh.value("user", "");
  options.identity = ssh.value("identity", "");
  options.known_hosts = ssh.value("known_hosts", "");
  options.proxy_jump = ssh.value("proxy_jump", "");
  return options;
}

std::string NameOf(const SshOptions& options) {
  std::string name = options.user.empty() ? options.host : options.user + "@" + options.host;
  return options.port == 0 ? name : name + ":" + std::to_string(options.port);
}

}  // namespace cosmos
