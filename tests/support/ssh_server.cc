#include "support/ssh_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "support/processes.h"

namespace cosmos::testing {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSshd = "/usr/sbin/sshd";  // it insists on an absolute path

std::string ReadText(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

int Count(const std::string& text, const std::string& what) {
  int count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// sshd sets SO_REUSEADDR too, and may then listen on the port that this socket holds.
int Reserve(int* port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    ::close(fd);
    throw std::runtime_error("no free port on 127.0.0.1");
  }
  *port = ntohs(address.sin_port);
  return fd;
}

// sshd, and sshd-session of newer releases.
bool IsSshd(const Process& process) { return process.name.rfind("sshd", 0) == 0; }

bool Contains(const std::vector<pid_t>& pids, pid_t pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

// The processes of a server's connections. sshd gives each command a session (setsid) of its own; `commands`, when
// given, gets those of these sessions, which whatever was detached has left.
std::vector<pid_t> ConnectionProcesses(pid_t server, std::vector<pid_t>* commands) {
  const std::vector<Process> all = AllProcesses();
  std::vector<pid_t> connections, sessions;
  for (const Process& process : DescendantsOf(server, all)) {
    if (IsSshd(process)) connections.push_back(process.pid);
  }
  for (const Process& process : all) {
    if (Contains(connections, process.parent) && !IsSshd(process)) sessions.push_back(process.pid);
  }
  for (const Process& process : all) {
    if (commands != nullptr && Contains(sessions, process.session)) commands->push_back(process.pid);
  }
  return connections;
}

}  // namespace

std::string SshServer::Missing() {
  if (::geteuid() != 0) return "sshd needs root";
  if (::access(kSshd, X_OK) != 0) return "there is no /usr/sbin/sshd (package openssh-server)";
  for (const char* program : {"ssh", "scp", "ssh-keygen"}) {
    if (!HasProgram(program)) return std::string("there is no ") + program + " (package openssh-client)";
  }
  return "";
}

SshServer::SshServer(const SshServerOptions& options) : folder_(MakeFolder(options.below, "sshd")) {
  try {
    reservation_ = Reserve(&port_);
    MustRun({"ssh-keygen", "-q", "-t", "ed25519", "-C", "client", "-N", options.passphrase, "-f", identity()});
    fs::copy_file(identity().string() + ".pub", folder_ / "authorized_keys");
    MakeHostKey();
    TrustAt(port_);
    WriteConfig(options);
    Start();
  } catch (...) {
    Remove();
    throw;
  }
}

SshServer::~SshServer() { Remove(); }

void SshServer::Remove() {
  Stop();
  KillAndAwait(Processes());
  if (reservation_ >= 0) ::close(reservation_);
  std::error_code error;
  fs::remove_all(folder_, error);
}

void SshServer::MakeHostKey() {
  const fs::path key = folder_ / "host_key";
  fs::remove(key);
  fs::remove(key.string() + ".pub");
  MustRun({"ssh-keygen", "-q", "-t", "ed25519", "-C", "host", "-N", "", "-f", key});
}

void SshServer::WriteConfig(const SshServerOptions& options) const {
  std::ofstream(folder_ / "sshd_config") << options.config << "\n"  // the first value of a keyword counts
                                         << "ListenAddress 127.0.0.1\n"
                                         << "Port " << port_ << "\n"
                                         << "HostKey " << (folder_ / "host_key").string() << "\n"
                                         << "PidFile " << (folder_ / "sshd.pid").string() << "\n"
                                         << "AuthorizedKeysFile " << (folder_ / "authorized_keys").string() << "\n"
                                         << "MaxSessions " << options.max_sessions << "\n"
                                         << "StrictModes no\n"
                                         << "UsePAM no\n"
                                         << "PasswordAuthentication no\n"
                                         << "KbdInteractiveAuthentication no\n"
                                         << "PermitRootLogin prohibit-password\n"
                                         << "UseDNS no\n"
                                         << "LogLevel VERBOSE\n"
                                         << "Subsystem sftp internal-sftp\n";
}

std::string SshServer::host_key_fingerprint() const {
  // `256 SHA256:… host (ED25519)`
  std::istringstream words(MustRun({"ssh-keygen", "-l", "-E", "sha256", "-f", folder_ / "host_key.pub"}));
  std::string bits, fingerprint;
  words >> bits >> fingerprint;
  return fingerprint;
}

std::vector<std::string> SshServer::ClientOptions() const {
  std::vector<std::string> words = {"-F", "none", "-i", identity()};
  for (const std::string& option :
       {"Port=" + std::to_string(port_), "UserKnownHostsFile=" + known_hosts().string(),
        std::string("GlobalKnownHostsFile=none"), std::string("StrictHostKeyChecking=yes"),
        std::string("IdentitiesOnly=yes"), std::string("IdentityAgent=none"), std::string("BatchMode=yes")}) {
    words.insert(words.end(), {"-o", option});
  }
  return words;
}

void SshServer::TrustAt(int port) {
  std::ofstream(known_hosts(), std::ios::app) << "[127.0.0.1]:" << port << " " << ReadText(folder_ / "host_key.pub");
}

std::string SshServer::Log() const { return ReadText(folder_ / "sshd.log"); }

int SshServer::LoginCount() const { return Count(Log(), "Accepted publickey"); }

int SshServer::Connections() const {
  if (!sshd_) return 0;
  const std::vector<Process> all = AllProcesses();
  return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const Process& process) {
    return process.parent == sshd_->pid() && IsSshd(process);
  }));
}

std::vector<pid_t> SshServer::Processes() const {
  // SSH_CONNECTION=CLIENT PORT SERVER PORT, which every process of a session has from its first moment.
  const std::string server = " 127.0.0.1 " + std::to_string(port_) + '\0';
  std::vector<pid_t> found;
  for (const Process& process : AllProcesses()) {
    const std::string environment = '\0' + process.Environment();
    const size_t begin = environment.find(std::string(1, '\0') + "SSH_CONNECTION=");
    if (begin == std::string::npos) continue;
    const size_t end = environment.find('\0', begin + 1);
    if (end == std::string::npos || end + 1 < begin + server.size()) continue;
    if (environment.compare(end + 1 - server.size(), server.size(), server) == 0) found.push_back(process.pid);
  }
  return found;
}

void SshServer::Start() {
  fs::create_directories("/run/sshd");  // sshd's place for its unprivileged part
  const std::string log = Log();
  sshd_ = std::make_unique<BackgroundProgram>(
      std::vector<std::string>{kSshd, "-D", "-e", "-f", folder_ / "sshd_config"}, folder_ / "sshd.log");
  const std::string listens = "Server listening on 127.0.0.1 port " + std::to_string(port_);
  for (int i = 0; i < 5000 && sshd_->Alive(); ++i) {
    if (Log().find(listens, log.size()) != std::string::npos) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(4));
  }
  sshd_.reset();
  throw std::runtime_error("sshd does not listen: " + Log().substr(log.size()));
}

void SshServer::Stop() {
  if (!sshd_) return;
  ::kill(sshd_->pid(), SIGSTOP);  // so that no connection comes in while they are counted
  std::vector<pid_t> commands;
  std::vector<pid_t> connections = ConnectionProcesses(sshd_->pid(), &commands);
  sshd_.reset();
  connections.insert(connections.end(), commands.begin(), commands.end());
  KillAndAwait(connections);
}

void SshServer::CutAll() {
  if (sshd_) KillAndAwait(ConnectionProcesses(sshd_->pid(), nullptr));
}

void SshServer::NewHostKey() {
  Stop();
  MakeHostKey();
  Start();
}

}  // namespace cosmos::testing
