#pragma once

#include <string>
#include <thread>
#include <vector>

#include "core/fd.h"

namespace cosmos {

// Stands between libssh and an agent, so that libssh sees only certain keys of it, in a certain order: libssh itself
// offers all, and a host refuses a login after a few (MaxAuthTries). Whatever else is asked is passed on. Its thread
// ends when either side closes its connection. Not thread-safe.
class SshAgent {
 public:
  // Public keys in base64. The `preferred` ones come first, in their order; others only unless `only`.
  SshAgent(const std::string& socket, std::vector<std::string> preferred, bool only);
  ~SshAgent();
  SshAgent(const SshAgent&) = delete;
  SshAgent& operator=(const SshAgent&) = delete;

  // The keys that will be shown, in base64; empty also where no agent answers.
  const std::vector<std::string>& keys() const { return keys_; }
  // For libssh, which will close it; to be called once.
  Fd TakeConnection() { return std::move(theirs_); }

 private:
  void Serve();

  Fd agent_;   // to the real one
  Fd ours_;    // to libssh
  Fd theirs_;  // libssh's end of the same
  std::vector<std::string> keys_;
  std::string identities_;  // what is answered to a question for keys
  std::thread thread_;
};

// One key of an agent's answer.
struct AgentKey {
  std::string blob;
  std::string comment;
};
// Reads the answer (without its length) to a question for keys; nothing when it is none.
std::vector<AgentKey> ReadAgentKeys(std::string_view message);
std::string WriteAgentKeys(const std::vector<AgentKey>& keys);

}  // namespace cosmos
