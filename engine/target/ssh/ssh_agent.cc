#include "target/ssh/ssh_agent.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "core/base64.h"
#include "target/ssh/ssh_wire.h"

namespace cosmos {
namespace {

// draft-miller-ssh-agent.
constexpr char kAskForKeys = 11;
constexpr char kKeys = 12;
constexpr std::size_t kMaxMessage = 1 << 20;
constexpr int kPatienceMs = 10'000;  // for the list of keys; a signature may have to be confirmed by a person

bool Write(const Fd& fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool Read(const Fd& fd, std::size_t size, std::string* bytes, int patience_ms) {
  bytes->resize(size);
  for (std::size_t have = 0; have < size;) {
    pollfd wait = {fd.get(), POLLIN, 0};
    if (::poll(&wait, 1, patience_ms) == 0) return false;
    const ssize_t n = ::read(fd.get(), bytes->data() + have, size - have);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    have += static_cast<std::size_t>(n);
  }
  return true;
}

bool Send(const Fd& fd, std::string_view message) { return Write(fd, WireString(message)); }

std::optional<std::string> Receive(const Fd& fd, int patience_ms = -1) {
  std::string bytes;
  if (!Read(fd, 4, &bytes, patience_ms)) return std::nullopt;
  std::string_view view = bytes;
  const std::size_t size = TakeNumber(&view).value_or(0);
  if (size == 0 || size > kMaxMessage || !Read(fd, size, &bytes, patience_ms)) return std::nullopt;
  return bytes;
}

Fd ConnectTo(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return Fd();
  std::memcpy(address.sun_path, path.c_str(), path.size());
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return Fd();
  return socket;
}

}  // namespace

std::vector<AgentKey> ReadAgentKeys(std::string_view message) {
  std::vector<AgentKey> keys;
  if (message.empty() || message[0] != kKeys) return keys;
  message.remove_prefix(1);
  const std::size_t count = TakeNumber(&message).value_or(0);
  while (keys.size() < count) {
    const auto blob = TakeString(&message);
    const auto comment = TakeString(&message);
    if (!blob || !comment) break;
    keys.push_back({*blob, *comment});
  }
  return keys;
}

std::string WriteAgentKeys(const std::vector<AgentKey>& keys) {
  std::string message = kKeys + WireNumber(keys.size());
  for (const AgentKey& key : keys) message += WireString(key.blob) + WireString(key.comment);
  return message;
}

SshAgent::SshAgent(const std::string& socket, std::vector<std::string> preferred, bool only)
    : agent_(ConnectTo(socket)) {
  if (!agent_.valid() || !Send(agent_, std::string(1, kAskForKeys))) return;
  const auto rank = [&](const AgentKey& key) {
    return std::find(preferred.begin(), preferred.end(), EncodeBase64(key.blob)) - preferred.begin();
  };
  std::vector<AgentKey> keys = ReadAgentKeys(Receive(agent_, kPatienceMs).value_or(""));
  const auto last = static_cast<std::ptrdiff_t>(preferred.size());
  if (only)
    keys.erase(std::remove_if(keys.begin(), keys.end(), [&](auto& key) { return rank(key) == last; }), keys.end());
  std::stable_sort(keys.begin(), keys.end(), [&](auto& a, auto& b) { return rank(a) < rank(b); });
  for (const AgentKey& key : keys) keys_.push_back(EncodeBase64(key.blob));
  identities_ = WriteAgentKeys(keys);
  int ends[2];
  if (keys.empty() || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
  ours_ = Fd(ends[0]);
  theirs_ = Fd(ends[1]);
  thread_ = std::thread([this] { Serve(); });
}

SshAgent::~SshAgent() {
  if (!thread_.joinable()) return;
  ::shutdown(ours_.get(), SHUT_RDWR);
  ::shutdown(agent_.get(), SHUT_RDWR);
  thread_.join();
}

void SshAgent::Serve() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  while (const auto question = Receive(ours_)) {
    const bool for_keys = question->front() == kAskForKeys;
    if (!for_keys && !Send(agent_, *question)) break;
    const auto answer = for_keys ? identities_ : Receive(agent_);
    if (!answer || !Send(ours_, *answer)) break;
  }
  ::shutdown(ours_.get(), SHUT_RDWR);
}

}  // namespace cosmos
