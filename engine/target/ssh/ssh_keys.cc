#include "target/ssh/ssh_keys.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/base64.h"
#include "core/files.h"
#include "target/ssh/ssh_wire.h"

namespace cosmos {
namespace {

constexpr std::size_t kMaxKeyFile = 1 << 20;

// From a public key file, or a private one in OpenSSH's format, which has the public key before what is encrypted.
SshKey ReadPublicFile(const std::string& path) {
  ssh_key key = nullptr;
  ssh_pki_import_pubkey_file(path.c_str(), &key);
  return SshKey(key);
}

// Only for one without a passphrase: nobody is asked.
SshKey PublicOfPrivateFile(const std::string& path) {
  ssh_key key = nullptr, public_key = nullptr;
  ssh_pki_import_privkey_file(path.c_str(), "", nullptr, nullptr, &key);
  const SshKey owner(key);
  if (key != nullptr) ssh_pki_export_privkey_to_pubkey(key, &public_key);
  return SshKey(public_key);
}

}  // namespace

Identity FindIdentity(const std::string& path) {
  Identity identity;
  identity.path = path;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    identity.public_key = ReadPublicFile(path + ".pub");  // an agent may have the private one
    return identity;
  }
  if (!S_ISREG(info.st_mode) || ::access(path.c_str(), R_OK) != 0) {
    identity.state = Identity::State::kUnreadable;
    identity.problem = path + " cannot be read: " + (S_ISREG(info.st_mode) ? std::strerror(errno) : "it is no file");
    return identity;
  }
  identity.public_key = ReadPublicFile(path);
  if (ReadFileUpTo(path, kMaxKeyFile).find("PRIVATE KEY-----") == std::string::npos) return identity;
  if (info.st_uid == ::getuid() && (info.st_mode & 077) != 0) {
    identity.state = Identity::State::kOpen;
    identity.problem = fmt::format(
        "the private key {} has mode {:04o}, expected 0600: other users can read it, and "
        "ssh would ignore it, too",
        path, info.st_mode & 07777);
    return identity;
  }
  identity.state = Identity::State::kUsable;
  if (!identity.public_key) identity.public_key = PublicOfPrivateFile(path);
  if (!identity.public_key) identity.public_key = ReadPublicFile(path + ".pub");
  return identity;
}

SshKey ReadCertificate(const std::string& path, ssh_key public_key) {
  ssh_key key = nullptr;
  if (ssh_pki_import_cert_file(path.c_str(), &key) != SSH_OK) return nullptr;
  SshKey certificate(key);
  // A certificate has a random text between its type and what a key has behind its own.
  const std::string certified = DecodeBase64(Base64Of(key)).value_or("");
  const std::string plain = DecodeBase64(Base64Of(public_key)).value_or("");
  std::string_view in_certificate = certified, in_key = plain;
  TakeString(&in_certificate);
  TakeString(&in_certificate);
  TakeString(&in_key);
  if (in_key.empty() || in_certificate.substr(0, in_key.size()) != in_key) return nullptr;
  return certificate;
}

std::string Base64Of(ssh_key key) {
  char* text = nullptr;
  if (key == nullptr || ssh_pki_export_pubkey_base64(key, &text) != SSH_OK) return "";
  const std::string base64 = text;
  ssh_string_free_char(text);
  return base64;
}

}  // namespace cosmos
