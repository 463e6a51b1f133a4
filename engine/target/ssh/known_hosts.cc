#include "target/ssh/known_hosts.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <optional>
#include <random>
#include <sstream>
#include <system_error>

#include "core/base64.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hmac_sha1.h"
#include "core/text.h"
#include "core/wildcards.h"

namespace cosmos {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kHashedName = "|1|";
constexpr std::size_t kSaltSize = 20;

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::optional<std::ifstream> Open(const std::string& file) {
  std::error_code error;
  std::optional<std::ifstream> stream;
  if (fs::is_regular_file(file, error)) stream.emplace(file);
  if (stream && !*stream) stream.reset();
  return stream;
}

bool MatchesHash(const std::string& name, std::string_view hashed) {
  hashed.remove_prefix(kHashedName.size());
  const std::size_t bar = hashed.find('|');
  if (bar == hashed.npos) return false;
  const auto salt = DecodeBase64(hashed.substr(0, bar));
  const auto hash = DecodeBase64(hashed.substr(bar + 1));
  return salt && hash && HmacSha1(*salt, name) == *hash;
}

// As ssh: a negated pattern that matches excludes the host, whatever else is in the list.
bool MatchesList(const std::string& name, const std::string& list) {
  if (name.empty()) return false;
  if (list.rfind(kHashedName, 0) == 0) return MatchesHash(name, list);
  bool matches = false;
  std::istringstream patterns(list);
  for (std::string pattern; std::getline(patterns, pattern, ',');) {
    const bool negated = pattern.rfind('!', 0) == 0;
    if (!MatchesWildcards(Lower(pattern.substr(negated ? 1 : 0)), name, WildcardUnit::kByte)) continue;
    if (negated) return false;
    matches = true;
  }
  return matches;
}

std::string RandomBytes(std::size_t size) {
  std::random_device random;
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

}  // namespace

HostNames HostNamesOf(const std::string& host, int port, const std::string& alias) {
  if (!alias.empty()) return {Lower(alias), ""};
  const std::string name = Lower(host);
  if (port == 22) return {name, ""};
  return {"[" + name + "]:" + std::to_string(port), name};
}

KnownHosts::KnownHosts(const std::vector<std::string>& files, const HostNames& names) {
  for (const std::string& file : files) Read(file, names);
}

void KnownHosts::Read(const std::string& file, const HostNames& names) {
  std::optional<std::ifstream> stream = Open(file);
  if (!stream) return;
  std::size_t number = 0;
  for (std::string text; std::getline(*stream, text);) {
    ++number;
    std::istringstream words(text);  // a CR at the end is white space like any other
    std::string first, marker, hosts;
    Line line;
    if (!(words >> first) || first[0] == '#') continue;
    if (first[0] == '@') {
      marker = first;
      words >> hosts;
    } else {
      hosts = first;
    }
    if (!(words >> line.key.type >> line.key.base64)) continue;
    const bool by_entry = MatchesList(names.entry, hosts);
    if (!by_entry && !MatchesList(names.plain, hosts)) continue;
    line.where = file + ":" + std::to_string(number);
    line.plain = !by_entry;
    line.revoked = marker == "@revoked";
    if (marker == "@cert-authority" && authority_.empty()) authority_ = line.where;
    if (marker.empty() || line.revoked) lines_.push_back(line);
  }
}

KnownHosts::Judgement KnownHosts::Judge(const HostKey& key) const {
  Judgement judgement = {Verdict::kUnknown, ""};
  for (const Line& line : lines_) {
    const bool same = line.key.base64 == key.base64;
    if (line.revoked && same) return {Verdict::kRevoked, line.where};
    if (line.revoked) continue;
    if (same && judgement.verdict != Verdict::kKnown) judgement = {Verdict::kKnown, line.where};
    // An entry without a port may be another machine's behind the same address: that its key differs means nothing.
    const bool other = !same && !line.plain && line.key.type == key.type;
    if (other && judgement.verdict == Verdict::kUnknown) judgement = {Verdict::kChanged, line.where};
  }
  return judgement;
}

std::vector<std::string> KnownHosts::types() const {
  std::vector<std::string> types;
  for (const Line& line : lines_) {
    if (!line.revoked && std::find(types.begin(), types.end(), line.key.type) == types.end())
      types.push_back(line.key.type);
  }
  return types;
}

bool IsRevokedBy(const std::string& file, const HostKey& key) {
  std::optional<std::ifstream> stream = Open(file);
  if (!stream) {
    throw Error(ErrorCode::kInvalidInput, "the list of revoked host keys " + file + " cannot be read",
                "check `RevokedHostKeys` in your ssh_config; ssh accepts no host key without that file, either");
  }
  for (std::string text; std::getline(*stream, text);) {
    if (text.rfind("SSHKRL", 0) == 0) {
      throw Error(ErrorCode::kInvalidInput,
                  "the list of revoked host keys " + file + " is a binary KRL, expected one public key a line",
                  "name a list of public keys in `RevokedHostKeys` of your ssh_config");
    }
    std::istringstream words(text);
    for (std::string word; words >> word && word[0] != '#';) {
      if (word == key.base64) return true;
    }
  }
  return false;
}

void AddKnownHost(const fs::path& file, const std::string& entry, const HostKey& key, bool hashed) {
  std::string name = entry;
  if (hashed) {
    const std::string salt = RandomBytes(kSaltSize);
    name = std::string(kHashedName) + EncodeBase64(salt) + "|" + EncodeBase64(HmacSha1(salt, entry));
  }
  std::error_code error;
  if (fs::exists(file, error) && !fs::is_regular_file(file, error)) return;
  if (file.has_parent_path()) MakePrivateFolder(file.parent_path());
  std::string line = name + " " + key.type + " " + key.base64 + "\n";
  if (auto old = Open(file.string()); old && old->seekg(-1, std::ios::end) && old->get() != '\n') line.insert(0, "\n");
  AppendToFile(fs::weakly_canonical(file), line);  // it may be a link
}

}  // namespace cosmos
