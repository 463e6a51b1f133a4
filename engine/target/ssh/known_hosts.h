#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

// A host's public key as known_hosts files write it.
struct HostKey {
  std::string type;    // ssh-ed25519
  std::string base64;  // AAAA…
};

// The names under which known_hosts files are searched for a host. A value.
struct HostNames {
  std::string entry;  // NAME, or [NAME]:PORT for another port than 22
  std::string plain;  // NAME, where an entry without a port is good enough; otherwise empty
};
// With an `alias` (HostKeyAlias) that alone counts, and no port, as ssh has it.
HostNames HostNamesOf(const std::string& host, int port, const std::string& alias);

// What known_hosts files say of one host: the lines whose patterns match it. Hashed names, wildcards, negation, several
// names a line, markers, and lines that end in CR are read as sshd(8) describes them. Immutable; any thread.
class KnownHosts {
 public:
  enum class Verdict { kKnown, kUnknown, kChanged, kRevoked };
  struct Judgement {
    Verdict verdict;
    std::string where;  // FILE:LINE of the line that decides; empty for kUnknown
  };

  // Files that are missing, unreadable or no regular files have no lines. `files` are read in their order.
  KnownHosts(const std::vector<std::string>& files, const HostNames& names);

  // A key is revoked if any line says so, changed if only other keys of its type are known.
  Judgement Judge(const HostKey& key) const;
  // The types of the keys that are known, in the order of their lines, each once.
  std::vector<std::string> types() const;
  // FILE:LINE of the first @cert-authority line for the host; empty without one.
  const std::string& authority() const { return authority_; }

 private:
  struct Line {
    HostKey key;
    std::string where;
    bool revoked = false;
    bool plain = false;  // found by HostNames::plain alone
  };

  void Read(const std::string& file, const HostNames& names);

  std::vector<Line> lines_;
  std::string authority_;
};

// Whether a RevokedHostKeys file lists the key. Throws Error{kInvalidInput} for a file that cannot be read, as ssh then
// accepts no key either, and for a binary list (KRL).
bool IsRevokedBy(const std::string& file, const HostKey& key);

// Appends a key to a known_hosts file, which is made (0600, its folder 0700) if it is missing; `hashed` hides the name.
// Does nothing for what is no regular file, such as /dev/null. Throws Error{kIo}.
void AddKnownHost(const std::filesystem::path& file, const std::string& entry, const HostKey& key, bool hashed);

}  // namespace cosmos
