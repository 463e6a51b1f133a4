#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "support/background_program.h"

namespace cosmos::testing {

struct SshServerOptions {
  std::filesystem::path below = "/tmp";  // where its folder is made
  int max_sessions = 10;                 // MaxSessions: channels a connection may have
  std::string passphrase;                // of the client's key
  std::string config;                    // lines of sshd_config; they win over the server's own
};

// A real sshd on a free port of 127.0.0.1, with a key of its own and a client's key that logs in as root and as every
// account that a TestAccount makes. Starts in the constructor. Needs root. Not thread-safe.
//
// The port stays reserved while the server is stopped, so that nobody else answers there. The destructor removes the
// folder and kills every process that was started through the server, detached ones too.
class SshServer {
 public:
  // Why no sshd can run here; empty when it can.
  static std::string Missing();

  // Throws std::runtime_error, with the server's log, when it does not come up.
  explicit SshServer(const SshServerOptions& options = {});
  ~SshServer();
  SshServer(const SshServer&) = delete;
  SshServer& operator=(const SshServer&) = delete;

  int port() const { return port_; }
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path identity() const { return folder_ / "id_ed25519"; }  // the client's private key
  std::filesystem::path known_hosts() const { return folder_ / "known_hosts"; }
  std::string host_key_fingerprint() const;  // "SHA256:…"

  // The words that make the programs ssh and scp log in here with the client's key and nothing of the user's.
  std::vector<std::string> ClientOptions() const;
  // Adds the host's present key to known_hosts under another port, as that of a TcpProxy before this server.
  void TrustAt(int port);

  std::string Log() const;               // at LogLevel VERBOSE, since the first start
  int LoginCount() const;                // accepted public keys since the first start
  int Connections() const;               // now, including those that have not logged in yet
  std::vector<pid_t> Processes() const;  // whatever was started through the server and still runs; no sshd

  // Ends the server, its connections and their commands at once, but not what the commands detached with setsid.
  void Stop();
  // Starts it on the same port. REQUIRES: it is stopped. Throws as the constructor does.
  void Start();
  // Cuts all connections. Their commands are not told, as when a network fails; the server goes on.
  void CutAll();
  // Gives the host another key and restarts. known_hosts keeps the old one.
  void NewHostKey();

 private:
  void MakeHostKey();
  void WriteConfig(const SshServerOptions& options) const;
  void Remove();

  std::filesystem::path folder_;
  int reservation_ = -1;  // a socket that is bound to the port and never listens
  int port_ = 0;
  std::unique_ptr<BackgroundProgram> sshd_;
};

}  // namespace cosmos::testing
