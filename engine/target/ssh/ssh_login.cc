#include "target/ssh/ssh_login.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/text.h"
#include "target/ssh/ssh_agent.h"

namespace cosmos {
namespace {

struct Asker {
  Passphrase& passphrase;
  const std::string& key;
  bool asked = false;
};

int AskPassphrase(const char*, char* buffer, std::size_t size, int, int, void* data) {
  auto* const asker = static_cast<Asker*>(data);
  asker->asked = true;
  return asker->passphrase.Get(asker->key, buffer, size) ? 0 : -1;
}

}  // namespace

bool SshLogin::Try() {
  for (const std::string& path : settings_.identities) {
    Identity identity = FindIdentity(path);
    const std::string key = Base64Of(identity.public_key.get());
    const bool again = !key.empty() && std::any_of(identities_.begin(), identities_.end(), [&](const Identity& other) {
      return other.state == Identity::State::kUsable && Base64Of(other.public_key.get()) == key;
    });
    if (!again) identities_.push_back(std::move(identity));
  }
  if (TryCertificates() || TryAgent()) return true;
  return std::any_of(identities_.begin(), identities_.end(),
                     [&](const Identity& identity) { return TryFile(identity); });
}

std::string SshLogin::ResultOf(int result) const {
  switch (result) {
    case SSH_AUTH_PARTIAL:
      return "accepted, but the host asks for more than that";
    case SSH_AUTH_DENIED:
      return "refused";
    default:
      return ssh_get_error(session_);
  }
}

bool SshLogin::TryAgent() {
  std::vector<std::string> preferred;
  for (const Identity& identity : identities_) {
    if (identity.public_key) preferred.push_back(Base64Of(identity.public_key.get()));
  }
  if (settings_.agent.empty() || !ssh_is_connected(session_)) return false;
  SshAgent agent(settings_.agent, preferred, settings_.identities_only);
  agent_keys_ = agent.keys();
  if (agent_keys_.empty()) return false;
  Fd connection = agent.TakeConnection();
  ssh_set_agent_socket(session_, connection.Release());
  const int result = ssh_userauth_agent(session_, nullptr);
  if (result != SSH_AUTH_SUCCESS) {
    Note(Counted(static_cast<std::int64_t>(agent_keys_.size()), "key") + " of the agent", ResultOf(result));
  }
  return result == SSH_AUTH_SUCCESS;
}

// Those that `CertificateFile` names, with the key that they are for, and IDENTITY-cert.pub.
bool SshLogin::TryCertificates() {
  for (const Identity& identity : identities_) {
    if (identity.state != Identity::State::kUsable || !identity.public_key) continue;
    std::vector<std::string> paths = settings_.certificates;
    paths.push_back(identity.path + "-cert.pub");
    for (const std::string& path : paths) {
      const SshKey certificate = ReadCertificate(path, identity.public_key.get());
      if (certificate && Offer(certificate.get(), identity, certificate.get())) return true;
    }
  }
  return false;
}

bool SshLogin::TryFile(const Identity& identity) {
  if (!identity.problem.empty()) {
    tried_.push_back(identity.problem);
    return false;
  }
  const std::string key = Base64Of(identity.public_key.get());
  const bool tried = !key.empty() && std::find(agent_keys_.begin(), agent_keys_.end(), key) != agent_keys_.end();
  if (identity.state != Identity::State::kUsable || tried) return false;
  return Offer(identity.public_key.get(), identity, nullptr);
}

// The private key is read, and its passphrase asked for, only when the host accepts the public one, if that is known.
bool SshLogin::Offer(ssh_key public_key, const Identity& identity, ssh_key certificate) {
  if (!ssh_is_connected(session_)) return false;
  if (public_key != nullptr) {
    const int result = ssh_userauth_try_publickey(session_, nullptr, public_key);
    if (result != SSH_AUTH_SUCCESS) {
      Note(identity.path, ResultOf(result));
      return false;
    }
  }
  ssh_key private_key = nullptr;
  Asker asker = {passphrase_, identity.path};
  ssh_pki_import_privkey_file(identity.path.c_str(), nullptr, AskPassphrase, &asker, &private_key);
  const SshKey owner(private_key);
  if (private_key == nullptr) {
    passphrase_.Forget(identity.path);
    Note(identity.path,
         asker.asked ? "encrypted, and the passphrase is not known" : "not a private key that libssh reads");
    return false;
  }
  if (certificate != nullptr) ssh_pki_copy_cert_to_privkey(certificate, private_key);
  const int result = ssh_userauth_publickey(session_, nullptr, private_key);
  if (result != SSH_AUTH_SUCCESS) Note(identity.path, ResultOf(result));
  return result == SSH_AUTH_SUCCESS;
}

}  // namespace cosmos
