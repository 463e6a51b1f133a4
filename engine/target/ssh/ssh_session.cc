#include "target/ssh/ssh_session.h"

#include <fmt/format.h>
#include <libssh/server.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

fs::path HomeFolder() {
  const char* home = std::getenv("HOME");
  return home != nullptr ? home : "/";
}

std::string Expanded(const std::string& path) {
  return path.rfind("~/", 0) == 0 ? (HomeFolder() / path.substr(2)).string() : path;
}

// For libssh, which replaces %d, %h and their like in paths and in a proxy's command; `%` itself is written twice.
std::string Literal(const std::string& text) {
  std::string literal;
  for (const char c : text) literal.append(c == '%' ? 2 : 1, c);
  return literal;
}

// As OpenSSH has it for names of hosts (valid_hostname in ssh.c): they reach shells, in a proxy's command.
void CheckHost(const std::string& what, const std::string& host) {
  const bool bad =
      host.rfind('-', 0) == 0 || std::any_of(host.begin(), host.end(), [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || std::strchr("'`\"$\\;&<>|(){},", c) != nullptr;
      });
  if (!bad) return;
  throw Error(ErrorCode::kInvalidInput, "found '" + host + "' as " + what + " of a target, expected the name of a host",
              "quotes, spaces and characters that a shell obeys do not belong there, nor does a '-' at its beginning");
}

// As ssh does, which ignores such a key. One of another user, as a key that the system shares, is not ours to judge.
void CheckKeyMode(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || info.st_uid != ::getuid() || (info.st_mode & 077) == 0) return;
  throw Error(ErrorCode::kInvalidInput,
              fmt::format("the private key {} has mode {:04o}, expected 0600: other users can read it, and ssh would "
                          "ignore it, too",
                          path, info.st_mode & 07777),
              "`chmod 600 " + ShellQuote(path) + "`; if others may have read it, replace it by a new one");
}

int AskPassphrase(const char*, char* buffer, std::size_t size, int, int, void* passphrase) {
  return static_cast<Passphrase*>(passphrase)->Get(buffer, size) ? 0 : -1;
}

std::string FingerprintOf(ssh_session session) {
  ssh_key key = nullptr;
  if (ssh_get_server_publickey(session, &key) != SSH_OK) return "unknown";
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  std::string text = "unknown";
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) == 0) {
    char* fingerprint = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
    if (fingerprint != nullptr) text = fingerprint;
    ssh_string_free_char(fingerprint);
    ssh_clean_pubkey_hash(&hash);
  }
  ssh_key_free(key);
  return text;
}

std::string Option(ssh_session session, ssh_options_e option) {
  char* value = nullptr;
  if (ssh_options_get(session, option, &value) != SSH_OK || value == nullptr) return "";
  std::string text = value;
  ssh_string_free_char(value);
  return text;
}

}  // namespace

bool Passphrase::Get(char* buffer, std::size_t size) {
  if (text_.empty()) {
    if (!asks_ || ::isatty(STDIN_FILENO) == 0) return false;
    std::vector<char> typed(size);
    if (ssh_getpass(("passphrase of the key for " + Harmless(host_) + ": ").c_str(), typed.data(), size, 0, 0) != 0)
      return false;
    text_ = typed.data();
  }
  if (text_.empty() || text_.size() >= size) return false;
  std::memcpy(buffer, text_.c_str(), text_.size() + 1);
  return true;
}

SshSession::SshSession(const SshOptions& options, Passphrase* passphrase, Duration longest)
    : session_(ssh_new()), owner_(session_) {
  if (session_ == nullptr) throw Error(ErrorCode::kInternal, "libssh gives no session");
  callbacks_.userdata = passphrase;
  callbacks_.auth_function = AskPassphrase;
  ssh_callbacks_init(&callbacks_);
  ssh_set_callbacks(session_, &callbacks_);
  SetOptions(options, longest);
  if (ssh_connect(session_) != SSH_OK) {
    throw Error(ErrorCode::kConnectionLost, "cannot connect to " + NameOf(options) + ": " + Reason(),
                "check that the host is up and that `ssh " +
                    (options.port == 0 ? "" : "-p " + std::to_string(options.port) + " ") + options.host + "` works");
  }
  CheckHostKey(options);
  LogIn(options);
  ssh_set_counters(session_, &counter_, nullptr);
  ssh_set_blocking(session_, 0);
}

SshSession::~SshSession() {
  ssh_set_counters(session_, nullptr, nullptr);
  ssh_disconnect(session_);
}

void SshSession::SetOptions(const SshOptions& options, Duration longest) {
  const auto set = [&](ssh_options_e option, const void* value) {
    if (ssh_options_set(session_, option, value) == SSH_OK) return;
    throw Error(ErrorCode::kInvalidInput, "the SSH options of " + NameOf(options) + " are wrong: " + Reason());
  };
  const long seconds = std::max<long>(1, std::chrono::ceil<std::chrono::seconds>(longest).count());
  const int yes = 1;
  const bool no = false;
  std::error_code no_file;
  const std::string folder = (HomeFolder() / ".ssh").string();
  set(SSH_OPTIONS_SSH_DIR, folder.c_str());
  CheckHost("`host:`", options.host);
  CheckHost("`proxy_jump:`", options.proxy_jump);
  set(SSH_OPTIONS_HOST, options.host.c_str());
  // The files are read first, so that what the target itself says wins.
  for (const fs::path& config : {fs::path(folder) / "config", fs::path("/etc/ssh/ssh_config")}) {
    std::error_code error;
    if (fs::is_regular_file(config, error) && ssh_options_parse_config(session_, config.c_str()) != SSH_OK) {
      throw Error(ErrorCode::kInvalidInput, "cannot use " + config.string() + ": " + Reason());
    }
  }
  set(SSH_OPTIONS_PROCESS_CONFIG, &no);
  set(SSH_OPTIONS_TIMEOUT, &seconds);
  set(SSH_OPTIONS_NODELAY, &yes);
  if (options.port != 0) set(SSH_OPTIONS_PORT, &options.port);
  if (!options.user.empty()) set(SSH_OPTIONS_USER, options.user.c_str());
  if (!options.identity.empty()) {
    const std::string identity = Expanded(options.identity);
    if (::access(identity.c_str(), R_OK) != 0) {
      throw Error(ErrorCode::kInvalidInput, "the private key " + identity + " cannot be read: " + std::strerror(errno),
                  "check `identity:` of the target");
    }
    CheckKeyMode(identity);
    set(SSH_OPTIONS_IDENTITY, Literal(identity).c_str());
  } else {
    CheckKeysOfUser();
  }
  if (const fs::path file = Expanded(options.known_hosts); fs::is_fifo(fs::status(file, no_file))) {
    throw Error(ErrorCode::kInvalidInput, "found a FIFO at " + file.string() + ", expected a file of host keys",
                "check `known_hosts:` of the target");
  }
  if (!options.known_hosts.empty()) set(SSH_OPTIONS_KNOWNHOSTS, Literal(Expanded(options.known_hosts)).c_str());
  if (!options.proxy_jump.empty()) {
    // Only as an URI may a host have its port with it; there, %25 stands for `%`.
    std::string uri = "ssh://";
    for (const char c : options.proxy_jump) uri += c == '%' ? "%25" : std::string(1, c);
    set(SSH_OPTIONS_PROXYCOMMAND, ("ssh -W '[%h]:%p' -- " + Literal(ShellQuote(uri))).c_str());
  }
}

// Those that libssh tries: of ~/.ssh/config, and the usual ones.
void SshSession::CheckKeysOfUser() const {
  std::vector<std::string> keys = {Expanded(Option(session_, SSH_OPTIONS_IDENTITY))};
  for (const char* name : {"id_ed25519", "id_ecdsa", "id_rsa"}) keys.push_back(HomeFolder() / ".ssh" / name);
  for (const std::string& key : keys) CheckKeyMode(key);
}

void SshSession::CheckHostKey(const SshOptions& options) {
  const ssh_known_hosts_e known = ssh_session_is_known_server(session_);
  if (known == SSH_KNOWN_HOSTS_OK) return;
  const std::string host = Option(session_, SSH_OPTIONS_HOST);
  unsigned port = 22;
  ssh_options_get_port(session_, &port);
  std::string file = options.known_hosts.empty() ? Option(session_, SSH_OPTIONS_KNOWNHOSTS) : options.known_hosts;
  if (file.empty()) file = "~/.ssh/known_hosts";
  const std::string entry = port == 22 ? host : fmt::format("[{}]:{}", host, port);
  const std::string found = "its key is " + FingerprintOf(session_);
  const std::string accept = fmt::format("`ssh-keyscan -p {} {} >> {}`", port, host, file);
  switch (known) {
    case SSH_KNOWN_HOSTS_CHANGED:
    case SSH_KNOWN_HOSTS_OTHER:
      throw Error(ErrorCode::kInvalidInput,
                  "the host key of " + entry + " is not the one in " + file + "; " + found +
                      ": it is another machine, was reinstalled, or someone intercepts the connection",
                  "only if you know why: remove the old key with `ssh-keygen -R '" + entry + "' -f " + file +
                      "`, then accept the new one with " + accept);
    case SSH_KNOWN_HOSTS_ERROR:
      throw Error(ErrorCode::kInvalidInput, "the host key of " + entry + " cannot be checked: " + Reason());
    default:
      throw Error(ErrorCode::kInvalidInput,
                  "the host " + entry + " is not known: " + file + " has no key of it; " + found,
                  "compare that with what the host's owner says, then accept it with " + accept);
  }
}

void SshSession::LogIn(const SshOptions& options) {
  const int result = ssh_userauth_publickey_auto(session_, nullptr, nullptr);
  if (result == SSH_AUTH_SUCCESS) return;
  const std::string name = Option(session_, SSH_OPTIONS_USER) + "@" + Option(session_, SSH_OPTIONS_HOST);
  if (result == SSH_AUTH_ERROR && !connected()) {
    throw Error(ErrorCode::kConnectionLost, "the connection to " + NameOf(options) + " ended at login: " + Reason());
  }
  throw Error(ErrorCode::kInvalidInput, "the host refuses the login " + name + ": no key that it accepts was found",
              "try `ssh " + (options.port == 0 ? "" : "-p " + std::to_string(options.port) + " ") + name +
                  "`; give the key as `identity:` of the target or load it into the agent with " +
                  "`ssh-add` (an encrypted key is asked for on a terminal only)");
}

// The reply to an earlier one is noticed by the next call, which then sends nothing: hence two.
void SshSession::SendKeepAlive() {
  ssh_send_keepalive(session_);
  ssh_send_keepalive(session_);
}

std::string SshSession::Fingerprint() const { return FingerprintOf(session_); }

}  // namespace cosmos
