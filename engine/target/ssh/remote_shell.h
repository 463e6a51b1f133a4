#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "core/cancel.h"
#include "core/clock.h"
#include "target/ssh/ssh_connection.h"
#include "target/target.h"

namespace cosmos {

// Executes the scripts of remote_scripts.h on a host, through connections that may break: the one place that knows how
// long a host is waited for (see Target). Thread-safe.
class RemoteShell {
 public:
  struct Answer {
    TargetOutput command;
    bool repeated = false;  // an earlier try may have done the work too
  };

  // `cancel` must outlive the shell. `observer` as for SshConnection.
  RemoteShell(const SshOptions& options, const CancelToken* cancel, SshConnection::Observer observer);

  // Executes a script that may be executed again: it is when the connection is lost before its end is known. With
  // `longest`, the script is killed when it takes longer, and of its output the first MiB is kept.
  Answer Ask(const std::string& script, std::optional<Duration> longest = std::nullopt);
  // The output of a script that must succeed; else throws Error{kUnavailable} with what it complained of.
  std::string Demand(const std::string& script);
  // Starts a script once; the exchange must not outlive the shell.
  std::shared_ptr<SshExchange> Start(const std::string& script, SshExchange::Kind kind);
  // Reads what an exchange printed meanwhile, as SshExchange::Read; ends when it has waited for a channel too long.
  std::string Read(SshExchange* exchange, SteadyTime until) const;
  // As Target::Reach.
  void Reach(Duration longest);

  SshConnection& connection() { return connection_; }
  std::string name() const { return NameOf(connection_.options()); }

 private:
  // Throws Error{kUnavailable} for a script whose end is unknown although its command has ended.
  [[noreturn]] void ComplainOfEnd(const SshExchange& exchange, const std::string& output) const;
  // Throws when the engine has no more time for a host that cannot be reached.
  void CheckPatience(const SshExchange& exchange) const;

  const CancelToken& cancel_;
  mutable std::atomic<SteadyTime> cancelled_at_{SteadyTime()};  // as it was noticed
  SshConnection connection_;
};

}  // namespace cosmos
