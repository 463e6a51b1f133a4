#include "target/ssh/ssh_client.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string_view>

#include "core/command.h"
#include "core/error.h"
#include "core/text.h"
#include "target/ssh/account.h"

namespace cosmos {
namespace {

constexpr auto kTimeout = std::chrono::seconds(10);
constexpr int kNoProgram = 127;
constexpr std::size_t kMaxWay = 16;         // hosts
constexpr std::size_t kMaxComplaint = 500;  // characters

// As OpenSSH has it for names that reach a shell (valid_hostname and valid_ruser in ssh.c).
bool IsName(const std::string& text) {
  return text.rfind('-', 0) != 0 && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || std::strchr("'`\"$\\;&<>|(){},", c) != nullptr;
         });
}

[[noreturn]] void RefuseName(const std::string& key, const std::string& found, const std::string& expected) {
  throw Error(ErrorCode::kInvalidInput, "found '" + found + "' as `" + key + ":` of a target, expected " + expected,
              "quotes, spaces and characters that a shell obeys do not belong there, nor does a '-' at its beginning");
}

std::vector<std::string> Question(const SshOptions& options, const std::vector<std::string>& config_words) {
  std::vector<std::string> words = {"ssh", "-G", "-T"};
  words.insert(words.end(), config_words.begin(), config_words.end());
  if (options.port != 0) words.insert(words.end(), {"-p", std::to_string(options.port)});
  if (!options.user.empty()) words.insert(words.end(), {"-l", options.user});
  if (!options.identity.empty()) words.insert(words.end(), {"-o", std::string("IdentityFile=") + kOwnIdentity});
  if (!options.proxy_jump.empty()) words.insert(words.end(), {"-o", "ProxyJump=" + options.proxy_jump});
  words.insert(words.end(), {"--", options.host});
  return words;
}

// [USER@]HOST[:PORT], HOST in brackets when it has colons.
SshOptions OptionsOfJump(const std::string& jump) {
  SshOptions options;
  const std::size_t at = jump.rfind('@');
  if (at != jump.npos) options.user = jump.substr(0, at);
  options.host = at == jump.npos ? jump : jump.substr(at + 1);
  const std::size_t colon = options.host.rfind(':');
  const bool bracketed = options.host.rfind('[', 0) == 0;
  if (colon != options.host.npos && (!bracketed || options.host[colon - 1] == ']')) {
    options.port = std::atoi(options.host.c_str() + colon + 1);
    options.host.resize(colon);
  }
  if (bracketed) options.host = options.host.substr(1, options.host.size() - 2);
  return options;
}

// Words between white space, without quotes: enough to find an `ssh` in a ProxyCommand.
std::vector<std::string> Words(const std::string& command) {
  std::vector<std::string> words;
  std::istringstream stream(command);
  for (std::string word; stream >> word;) {
    word.erase(std::remove_if(word.begin(), word.end(), [](char c) { return c == '"' || c == '\''; }), word.end());
    words.push_back(word);
  }
  return words;
}

// The host that a ProxyCommand of the form `[exec] ssh [OPTION]… HOST …` logs in to, in the same configuration.
std::optional<SshOptions> HostOfCommand(const std::string& command) {
  constexpr std::string_view kWithValue = "BbcDEeFIiJLlmOopQRSWw";
  const std::vector<std::string> words = Words(command);
  auto word = words.begin();
  if (word != words.end() && *word == "exec") ++word;
  if (word == words.end() || word->substr(word->rfind('/') + 1) != "ssh") return std::nullopt;
  SshOptions options;
  for (++word; word != words.end(); ++word) {
    if (word->size() < 2 || word->front() != '-') {
      const SshOptions host = OptionsOfJump(word->rfind("ssh://", 0) == 0 ? word->substr(6) : *word);
      if (options.user.empty()) options.user = host.user;
      if (options.port == 0) options.port = host.port;
      options.host = host.host;
      return options;
    }
    const std::size_t letter = word->find_first_of(kWithValue, 1);
    if (letter == word->npos) continue;
    const char option = (*word)[letter];
    std::string value = word->substr(letter + 1);
    if (value.empty() && ++word != words.end()) value = *word;
    if (word == words.end() || option == 'F') return std::nullopt;
    if (option == 'l') options.user = value;
    if (option == 'p') options.port = std::atoi(value.c_str());
    if (option == 'J') options.proxy_jump = value;
  }
  return std::nullopt;
}

// The host through which that of `settings` is reached, whose own configuration counts. ssh gives a jump those before
// it; so it is the first one.
std::optional<SshOptions> HostBefore(const SshSettings& settings) {
  if (!settings.proxy_jumps.empty()) return OptionsOfJump(settings.proxy_jumps.front());
  return HostOfCommand(settings.proxy_command);
}

}  // namespace

void CheckNames(const SshOptions& options) {
  if (!IsName(options.host)) RefuseName("host", options.host, "the name of a host");
  if (!IsName(options.user)) RefuseName("user", options.user, "the name of an account");
  if (options.proxy_jump.empty()) return;
  const std::vector<std::string> jumps = JumpsOf(options.proxy_jump);
  const bool is_list = ("," + options.proxy_jump + ",").find(",,") == std::string::npos;
  if (!is_list || !std::all_of(jumps.begin(), jumps.end(), IsName)) {
    RefuseName("proxy_jump", options.proxy_jump, "the names of hosts, with commas between them");
  }
}

SshClient::SshClient() {
  const std::string home = HomeFolder();
  if (home == OwnAccount().home) return;
  config_ = Fd(::memfd_create("ssh_config", MFD_CLOEXEC));
  const std::string text = "Include \"" + home + "/.ssh/config\"\nMatch all\nInclude /etc/ssh/ssh_config\n";
  if (!config_.valid() || ::write(config_.get(), text.data(), text.size()) < 0) {
    throw Error(ErrorCode::kUnavailable, "no file descriptor is left for the configuration of ssh");
  }
  // By the engine's process: ssh closes the descriptors that it inherits.
  config_words_ = {"-F", fmt::format("/proc/{}/fd/{}", ::getpid(), config_.get())};
}

std::optional<SshSettings> SshClient::Ask(const SshOptions& options, const CancelToken& cancel) const {
  const CommandResult result = RunCommand(Question(options, config_words_), kTimeout, cancel, Stderr::kApart);
  const std::string name = ShellQuote(options.host);
  if (result.timed_out) {
    throw Error(ErrorCode::kUnavailable, fmt::format("`ssh -G {}` gave no answer in {} s", name, kTimeout.count()),
                "a `Match exec` or a name server may hang: try that command");
  }
  const bool has_answer = result.output.find("\nhostname ") != std::string::npos;
  if (result.exit_status == 0 && has_answer) {
    SshSettings settings = ReadSettings(result.output, options);
    settings.config_words = config_words_;
    return settings;
  }
  const bool is_old = result.errors.find("option -- G") != std::string::npos;
  if (result.exit_status == kNoProgram || result.exit_status == 0 || is_old) return std::nullopt;
  const std::string complaint = Join(SplitLines(Harmless(result.errors)), "; ");
  throw Error(
      ErrorCode::kInvalidInput,
      "ssh finds fault with its configuration for " + NameOf(options) + ": " + TruncateUtf8(complaint, kMaxComplaint),
      "fix that; `ssh -G " + name + "` shows whether ssh accepts it");
}

std::optional<SshSettings> SshClient::FindWay(const SshOptions& options, const CancelToken& cancel) const {
  std::optional<SshSettings> settings = Ask(options, cancel);
  std::vector<std::string> way = {NameOf(options)};
  std::optional<SshOptions> before = settings ? HostBefore(*settings) : std::nullopt;
  while (before) {
    const bool repeats = std::find(way.begin(), way.end(), NameOf(*before)) != way.end();
    way.push_back(NameOf(*before));
    if (repeats || way.size() > kMaxWay) {
      throw Error(ErrorCode::kInvalidInput, "the jumps to " + way.front() + " never end: " + Join(way, " -> "),
                  "take `ProxyJump` or `ProxyCommand` from one of these hosts in your ssh_config, or set "
                  "`proxy_jump: none`");
    }
    const std::optional<SshSettings> next = Ask(*before, cancel);
    before = next ? HostBefore(*next) : std::nullopt;
  }
  return settings;
}

std::string JumpCommand(const SshSettings& settings) {
  if (settings.proxy_jumps.empty()) return "";
  std::vector<std::string> words = {"ssh"};
  words.insert(words.end(), settings.config_words.begin(), settings.config_words.end());
  const std::vector<std::string> before(settings.proxy_jumps.begin(), settings.proxy_jumps.end() - 1);
  if (!before.empty()) words.insert(words.end(), {"-J", Join(before, ",")});
  // Only as an URI may a host have its port with it; there, %25 stands for `%`.
  std::string uri = "ssh://";
  for (const char c : settings.proxy_jumps.back()) uri += c == '%' ? "%25" : std::string(1, c);
  words.insert(words.end(), {"-W", fmt::format("[{}]:{}", settings.host, settings.port), "--", uri});
  return ShellCommand(words);
}

}  // namespace cosmos
