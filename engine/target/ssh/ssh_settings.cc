#include "target/ssh/ssh_settings.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <initializer_list>
#include <map>
#include <sstream>

#include "core/error.h"
#include "core/text.h"
#include "target/ssh/account.h"

namespace cosmos {
namespace {

// The lines of an answer, by their keyword in lower case, as ssh prints it.
class Answer {
 public:
  explicit Answer(std::string_view text) {
    for (const std::string& line : SplitLines(text)) {
      const std::size_t space = line.find(' ');
      if (space != line.npos) lines_.emplace(line.substr(0, space), line.substr(space + 1));
    }
  }

  // The value of the first keyword that is there: older clients know some by another name. `none` is no value.
  std::string Get(std::initializer_list<const char*> keywords) const {
    for (const char* keyword : keywords) {
      const auto line = lines_.find(keyword);
      if (line != lines_.end()) return line->second == "none" ? "" : line->second;
    }
    return "";
  }
  bool Is(const char* keyword, bool otherwise = false) const {
    const std::string value = Get({keyword});
    return value.empty() ? otherwise : value == "yes" || value == "true";
  }
  int Number(const char* keyword, int otherwise) const {
    const std::string value = Get({keyword});
    int number = otherwise;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
  }
  std::vector<std::string> All(const char* keyword) const {
    std::vector<std::string> values;
    const auto [begin, end] = lines_.equal_range(keyword);
    std::for_each(begin, end, [&](const auto& line) { values.push_back(line.second); });
    return values;
  }

 private:
  std::multimap<std::string, std::string> lines_;  // of one keyword in their order
};

// ssh prints a list of paths without quotes; a word that begins no path belongs to the one before it.
std::vector<std::string> SplitPaths(const std::string& list) {
  std::vector<std::string> paths;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ' ');) {
    const bool begins = word.rfind('/', 0) == 0 || word.rfind('~', 0) == 0;
    if (begins || paths.empty()) {
      paths.push_back(word);
    } else {
      paths.back() += " " + word;
    }
  }
  paths.erase(std::remove(paths.begin(), paths.end(), "none"), paths.end());
  return paths;
}

// ssh takes the home folder from the account, the engine from $HOME; where they differ, paths that ssh has expanded
// mean the engine's.
std::string AtHome(const std::string& path, const std::string& home) {
  const std::string of_account = OwnAccount().home;
  if (of_account.size() < 2 || path.rfind(of_account + "/", 0) != 0) return ExpandTilde(path, home);
  return home + path.substr(of_account.size());
}

std::vector<std::string> KnownHostsFiles(const std::string& list, const std::string& home) {
  std::vector<std::string> files = SplitPaths(list);
  std::transform(files.begin(), files.end(), files.begin(), [&](const std::string& f) { return AtHome(f, home); });
  return files;
}

// `IdentityAgent` may name a variable that holds the socket's path; without it, SSH_AUTH_SOCK does.
std::string AgentSocket(const Answer& answer, const SshTokens& tokens, const std::string& home) {
  const auto variable = [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "" : value);
  };
  if (answer.All("identityagent").empty()) return variable("SSH_AUTH_SOCK");
  const std::string agent = answer.Get({"identityagent"});
  if (agent == "SSH_AUTH_SOCK") return variable(agent);
  if (agent.rfind("${", 0) != 0 && agent.rfind('$', 0) == 0) return variable(agent.substr(1));
  return AtHome(ExpandPath(agent, tokens, "IdentityAgent"), home);
}

std::vector<std::string> Identities(const Answer& answer, const SshTokens& tokens, const SshOptions& options) {
  std::vector<std::string> identities;
  for (const std::string& identity : answer.All("identityfile")) {
    if (identity == "none") continue;
    identities.push_back(identity == kOwnIdentity ? ExpandTilde(options.identity, tokens.at('d'))
                                                  : ExpandPath(identity, tokens, "IdentityFile"));
  }
  return identities;
}

std::string HostName() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

std::vector<std::string> SshSettings::AllKnownHosts() const {
  std::vector<std::string> files = known_hosts;
  files.insert(files.end(), global_known_hosts.begin(), global_known_hosts.end());
  return files;
}

std::vector<std::string> JumpsOf(const std::string& list) {
  std::vector<std::string> jumps;
  std::istringstream words(list);
  for (std::string word; list != "none" && std::getline(words, word, ',');) jumps.push_back(word);
  return jumps;
}

SshTokens TokensOf(const SshSettings& settings, const std::string& original_host, const std::string& home) {
  const std::string here = HostName();
  return {{'d', home},
          {'h', settings.host},
          {'i', std::to_string(::getuid())},
          {'j', settings.proxy_jumps.empty() ? "" : settings.proxy_jumps.back()},
          {'k', settings.host_key_alias.empty() ? original_host : settings.host_key_alias},
          {'l', here},
          {'L', here.substr(0, here.find('.'))},
          {'n', original_host},
          {'p', std::to_string(settings.port)},
          {'r', settings.user},
          {'u', OwnAccount().name}};
}

SshSettings ReadSettings(std::string_view text, const SshOptions& options) {
  const Answer answer(text);
  const std::string home = HomeFolder();
  SshSettings settings;
  settings.host = answer.Get({"hostname"});
  settings.port = answer.Number("port", 22);
  settings.user = answer.Get({"user"});
  settings.host_key_alias = answer.Get({"hostkeyalias"});
  settings.address_family = answer.Get({"addressfamily"});
  settings.bind_address = answer.Get({"bindaddress"});
  settings.bind_interface = answer.Get({"bindinterface"});
  settings.connect_timeout = std::chrono::seconds(answer.Number("connecttimeout", 0));
  settings.tcp_keep_alive = answer.Is("tcpkeepalive", true);
  settings.proxy_jumps = JumpsOf(answer.Get({"proxyjump"}));

  const std::string original = answer.Get({"host"});  // without the user of USER@HOST; older clients do not print it
  const SshTokens tokens = TokensOf(settings, original.empty() ? options.host : original, home);
  settings.identities = Identities(answer, tokens, options);
  for (const std::string& certificate : answer.All("certificatefile")) {
    settings.certificates.push_back(ExpandPath(certificate, tokens, "CertificateFile"));
  }
  settings.identities_only = answer.Is("identitiesonly");
  settings.agent = AgentSocket(answer, tokens, home);
  const std::string public_keys = answer.Get({"pubkeyauthentication"});  // it may also be `unbound` or `host-bound`
  settings.public_keys = public_keys != "no" && public_keys != "false";

  settings.known_hosts = options.known_hosts.empty() ? KnownHostsFiles(answer.Get({"userknownhostsfile"}), home)
                                                     : std::vector<std::string>{ExpandTilde(options.known_hosts, home)};
  settings.global_known_hosts = KnownHostsFiles(answer.Get({"globalknownhostsfile"}), home);
  settings.revoked_host_keys = answer.Get({"revokedhostkeys"});
  const std::string strict = answer.Get({"stricthostkeychecking"});
  const bool new_too = strict == "accept-new" || strict == "no" || strict == "false" || strict == "off";
  settings.host_keys = new_too ? SshSettings::HostKeys::kNewToo : SshSettings::HostKeys::kKnownOnly;
  settings.hash_known_hosts = answer.Is("hashknownhosts");
  settings.trusts_loopback = answer.Is("nohostauthenticationforlocalhost");

  settings.proxy_command = ExpandTokens(answer.Get({"proxycommand"}), tokens, "ProxyCommand");
  if (!settings.proxy_command.empty() && answer.Is("proxyusefdpass")) {
    throw Error(ErrorCode::kInvalidInput, "`ProxyUseFdpass yes` of your ssh_config is not supported",
                "use a ProxyCommand that passes the bytes themselves, or `ProxyJump`");
  }
  settings.ciphers = answer.Get({"ciphers"});
  settings.macs = answer.Get({"macs"});
  settings.key_exchanges = answer.Get({"kexalgorithms"});
  settings.host_key_algorithms = answer.Get({"hostkeyalgorithms"});
  settings.public_key_algorithms = answer.Get({"pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes"});
  settings.compression = answer.Is("compression");
  return settings;
}

}  // namespace cosmos
