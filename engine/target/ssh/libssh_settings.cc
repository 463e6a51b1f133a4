#include "target/ssh/libssh_settings.h"

#include <libssh/libssh.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>

#include "core/error.h"
#include "target/ssh/account.h"
#include "target/ssh/ssh_client.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

using Session = std::unique_ptr<ssh_session_struct, decltype(&::ssh_free)>;

std::string Option(const Session& session, ssh_options_e option) {
  char* value = nullptr;
  if (ssh_options_get(session.get(), option, &value) != SSH_OK || value == nullptr) return "";
  std::string text = value;
  ssh_string_free_char(value);
  return text;
}

}  // namespace

SshSettings SettingsOfLibssh(const SshOptions& options) {
  const std::string home = HomeFolder();
  const Session session(ssh_new(), &::ssh_free);
  if (!session) throw Error(ErrorCode::kInternal, "libssh gives no session");
  ssh_options_set(session.get(), SSH_OPTIONS_SSH_DIR, EscapeTokens(home + "/.ssh").c_str());
  ssh_options_set(session.get(), SSH_OPTIONS_HOST, options.host.c_str());
  for (const fs::path& config : {fs::path(home) / ".ssh/config", fs::path("/etc/ssh/ssh_config")}) {
    std::error_code error;
    if (fs::is_regular_file(config, error) && ssh_options_parse_config(session.get(), config.c_str()) != SSH_OK) {
      throw Error(ErrorCode::kInvalidInput, "cannot use " + config.string() + ": " + ssh_get_error(session.get()),
                  "fix that file, or install the program `ssh`, which reads more of it than libssh does");
    }
  }
  SshSettings settings;
  unsigned port = 22;
  ssh_options_get_port(session.get(), &port);
  settings.port = options.port != 0 ? options.port : static_cast<int>(port);
  settings.host = Option(session, SSH_OPTIONS_HOST);
  settings.user = options.user.empty() ? Option(session, SSH_OPTIONS_USER) : options.user;
  if (settings.user.empty()) settings.user = OwnAccount().name;
  if (options.proxy_jump.empty()) {
    const SshTokens tokens = TokensOf(settings, options.host, home);
    settings.proxy_command = ExpandTokens(Option(session, SSH_OPTIONS_PROXYCOMMAND), tokens, "ProxyCommand");
  }
  settings.proxy_jumps = JumpsOf(options.proxy_jump);
  if (!options.identity.empty()) settings.identities.push_back(ExpandTilde(options.identity, home));
  const std::string identity = Option(session, SSH_OPTIONS_IDENTITY);
  if (!identity.empty()) {
    settings.identities.push_back(ExpandPath(identity, TokensOf(settings, options.host, home), "IdentityFile"));
  }
  for (const char* name : {"id_ed25519", "id_ecdsa", "id_rsa"}) settings.identities.push_back(home + "/.ssh/" + name);
  if (const char* agent = std::getenv("SSH_AUTH_SOCK")) settings.agent = agent;
  std::string known = options.known_hosts.empty() ? Option(session, SSH_OPTIONS_KNOWNHOSTS) : options.known_hosts;
  settings.known_hosts = {known.empty() ? home + "/.ssh/known_hosts" : ExpandTilde(known, home)};
  settings.global_known_hosts = {"/etc/ssh/ssh_known_hosts"};
  return settings;
}

}  // namespace cosmos
