#include "target/ssh/ssh_dial.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "core/error.h"

namespace cosmos {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

[[noreturn]] void Fail(const std::string& reason) { throw Error(ErrorCode::kConnectionLost, reason); }

Addresses Resolve(const std::string& host, const std::string& port, int family) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.empty() ? nullptr : port.c_str(), &hints, &found);
  if (error != 0) {
    Fail("cannot resolve '" + host + "': " + (error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error)));
  }
  return Addresses(found, &::freeaddrinfo);
}

void BindToInterface(const Fd& socket, const std::string& name, int family) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) Fail("the network interfaces cannot be listed: " + std::string(std::strerror(errno)));
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(all, &::freeifaddrs);
  for (const ifaddrs* entry = all; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != family || name != entry->ifa_name) continue;
    const socklen_t size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    if (::bind(socket.get(), entry->ifa_addr, size) == 0) return;
  }
  Fail("found no address of the interface '" + name + "' (`BindInterface` of your ssh_config) to connect from");
}

void Bind(const Fd& socket, const SshSettings& settings, int family) {
  if (!settings.bind_address.empty()) {
    const Addresses own = Resolve(settings.bind_address, "", family);
    if (::bind(socket.get(), own->ai_addr, own->ai_addrlen) == 0) return;
    Fail("cannot connect from " + settings.bind_address +
         " (`BindAddress` of your ssh_config): " + std::strerror(errno));
  }
  if (!settings.bind_interface.empty()) BindToInterface(socket, settings.bind_interface, family);
}

// 0, or why there is no connection.
int Connect(const Fd& socket, const addrinfo& address, Duration limit, const CancelToken& cancel) {
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd wait[] = {{socket.get(), POLLOUT, 0}, {cancel.fd(), POLLIN, 0}};
  ::poll(wait, 2, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(limit).count()));
  if (cancel.cancelled()) return ECANCELED;
  if (wait[0].revents == 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

void SetOn(const Fd& socket, int level, int option) {
  const int on = 1;
  ::setsockopt(socket.get(), level, option, &on, sizeof on);
}

}  // namespace

Fd Dial(const SshSettings& settings, Duration limit, const CancelToken& cancel) {
  const int family = settings.address_family == "inet"    ? AF_INET
                     : settings.address_family == "inet6" ? AF_INET6
                                                          : AF_UNSPEC;
  const Addresses found = Resolve(settings.host, std::to_string(settings.port), family);
  std::string reason;
  for (const addrinfo* address = found.get(); address != nullptr; address = address->ai_next) {
    Fd socket(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    try {
      if (!socket.valid()) Fail(std::strerror(errno));
      Bind(socket, settings, address->ai_family);
      const int error = Connect(socket, *address, limit, cancel);
      if (error != 0) Fail(std::strerror(error));
    } catch (const Error& error) {
      reason = error.message();
      continue;
    }
    SetOn(socket, IPPROTO_TCP, TCP_NODELAY);
    if (settings.tcp_keep_alive) SetOn(socket, SOL_SOCKET, SO_KEEPALIVE);
    return socket;
  }
  Fail(reason);
}

bool IsLoopback(const Fd& connection) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(connection.get(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
  if (peer.ss_family == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr);
  const auto& address = reinterpret_cast<const sockaddr_in&>(peer).sin_addr;
  return peer.ss_family == AF_INET && ntohl(address.s_addr) >> 24 == 127;
}

}  // namespace cosmos
