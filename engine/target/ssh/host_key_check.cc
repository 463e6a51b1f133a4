#include "target/ssh/host_key_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace {

constexpr char kUsualAlgorithms[] =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256";

HostNames NamesOf(const SshSettings& settings) {
  return HostNamesOf(settings.host, settings.port, settings.host_key_alias);
}

std::optional<HostKey> KeyOf(ssh_session session) {
  ssh_key key = nullptr;
  if (ssh_get_server_publickey(session, &key) != SSH_OK) return std::nullopt;
  HostKey found;
  const ssh_keytypes_e type = ssh_key_type(key);
  // ECDSA has a name for each of its curves.
  const char* curve = ssh_pki_key_ecdsa_name(key);
  const bool is_ecdsa =
      type == SSH_KEYTYPE_ECDSA_P256 || type == SSH_KEYTYPE_ECDSA_P384 || type == SSH_KEYTYPE_ECDSA_P521;
  const char* name = is_ecdsa && curve != nullptr ? curve : ssh_key_type_to_char(type);
  found.type = name == nullptr ? "" : name;
  char* base64 = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &base64) == SSH_OK) found.base64 = base64;
  ssh_string_free_char(base64);
  ssh_key_free(key);
  return found;
}

// The commands that accept the host's present key.
std::string HowToAccept(const SshSettings& settings, const std::string& file) {
  if (!settings.proxy_command.empty() || !settings.proxy_jumps.empty()) return "`ssh` to that host";
  const std::string& alias = settings.host_key_alias;
  const std::string rename = alias.empty() ? "" : " | sed " + ShellQuote("s/^[^ ]*/" + alias + "/");
  return fmt::format("`ssh-keyscan -p {} {}{} >> {}`", settings.port, settings.host, rename, ShellQuote(file));
}

[[noreturn]] void Refuse(const std::string& message, const std::string& hint) {
  throw Error(ErrorCode::kInvalidInput, message, hint);
}

std::string FileOf(const std::string& where) { return where.substr(0, where.rfind(':')); }

}  // namespace

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

std::string HostKeyAlgorithms(const SshSettings& settings) {
  const std::vector<std::string> known = KnownHosts(settings.AllKnownHosts(), NamesOf(settings)).types();
  const auto is_known = [&](const std::string& algorithm) {
    const std::string type = algorithm.rfind("rsa-sha2-", 0) == 0 ? "ssh-rsa" : algorithm;
    return std::find(known.begin(), known.end(), type) != known.end();
  };
  std::vector<std::string> algorithms;
  std::istringstream list(settings.host_key_algorithms.empty() ? kUsualAlgorithms : settings.host_key_algorithms);
  for (std::string algorithm; std::getline(list, algorithm, ',');) {
    if (algorithm.find("-cert-v01@") == algorithm.npos) algorithms.push_back(algorithm);
  }
  std::stable_partition(algorithms.begin(), algorithms.end(), is_known);
  return Join(algorithms, ",");
}

void CheckHostKey(ssh_session session, const SshSettings& settings, bool learns) {
  const HostNames names = NamesOf(settings);
  const std::string& entry = names.entry;
  const std::optional<HostKey> key = KeyOf(session);
  if (!key) Refuse("the host key of " + entry + " cannot be checked: " + ssh_get_error(session), "");
  const std::string found = "its key is " + FingerprintOf(session);
  const KnownHosts known(settings.AllKnownHosts(), names);
  const KnownHosts::Judgement judgement = known.Judge(*key);
  const bool by_list = !settings.revoked_host_keys.empty() && IsRevokedBy(settings.revoked_host_keys, *key);
  if (by_list || judgement.verdict == KnownHosts::Verdict::kRevoked) {
    const std::string& where = by_list ? settings.revoked_host_keys : judgement.where;
    Refuse("the host key of " + entry + " is revoked by " + where + "; " + found,
           "do not connect: whoever has that key may have stolen it. Ask the host's owner for its new key");
  }
  switch (judgement.verdict) {
    case KnownHosts::Verdict::kKnown:
      return;
    case KnownHosts::Verdict::kChanged: {
      const std::string file = FileOf(judgement.where);
      Refuse("the host key of " + entry + " is not the one in " + judgement.where + "; " + found +
                 ": it is another machine, was reinstalled, or someone intercepts the connection",
             "only if you know why: remove the old key with `ssh-keygen -R " + ShellQuote(entry) + " -f " +
                 ShellQuote(file) + "`, then accept the new one with " + HowToAccept(settings, file));
    }
    default:
      break;
  }
  const std::string file = settings.known_hosts.empty() ? "" : settings.known_hosts.front();
  if (settings.host_keys == SshSettings::HostKeys::kNewToo) {
    try {
      if (learns && !file.empty()) AddKnownHost(file, entry, *key, settings.hash_known_hosts);
    } catch (const Error&) {
      // As ssh: the host is used all the same, and is new again next time.
    }
    return;
  }
  if (!known.authority().empty()) {
    Refuse("the host " + entry + " is known by a @cert-authority in " + known.authority() +
               " alone, and host certificates are not supported; " + found,
           "compare that with what the host's owner says, then accept it with " + HowToAccept(settings, file));
  }
  if (file.empty()) {
    Refuse("the host " + entry + " is not known, and your ssh_config names no `UserKnownHostsFile`; " + found,
           "name a file of host keys there, or as `known_hosts:` of the target");
  }
  Refuse("the host " + entry + " is not known: " + Join(settings.known_hosts, " and ") + " has no key of it; " + found,
         "compare that with what the host's owner says, then accept it with " + HowToAccept(settings, file));
}

}  // namespace cosmos
