#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "core/cancel.h"
#include "core/clock.h"
#include "target/ssh/ssh_connection.h"
#include "target/target.h"

namespace cosmos {

// A script of the engine's own, and what it takes on a sound host.
struct Question {
  std::string script;
  std::size_t max_reply = 1 << 20;  // bytes; a longer one is an error
  Duration work{};                  // that it has to do, beyond what any script takes on a busy host
};

// How long a host may take to answer a question, beside its `work`.
struct AnswerTimes {
  Duration usual = std::chrono::minutes(5);
  Duration when_cancelled = std::chrono::seconds(20);
  int tries = 12;  // of a question that is not answered in time
};

// Executes the scripts of remote_scripts.h on a host, through connections that may break: the one place that knows how
// long a host is waited for (see Target). Thread-safe.
class RemoteShell {
 public:
  struct Answer {
    TargetOutput command;
    bool repeated = false;  // an earlier try may have done the work too
  };

  // `cancel` must outlive the shell. `observer` as for SshConnection.
  RemoteShell(const SshOptions& options, const CancelToken* cancel, SshConnection::Observer observer,
              const AnswerTimes& times = {});

  // Executes a script that may be executed again: it is when the connection is lost before its end is known, or no
  // answer comes in time. Throws Error{kUnavailable} when there is none in the end, or it is too long.
  Answer Ask(const Question& question);
  // The output of a script that must succeed; otherwise throws Error{kUnavailable} with its complaint.
  std::string Demand(const Question& question);
  // A script of somebody else's. It is killed after `timeout`, and of its output the first MiB is kept. Throws
  // Error{kUnavailable} when it prints more than 64 MiB.
  TargetOutput Run(const std::string& script, Duration timeout);
  // Starts a script once; the exchange must not outlive the shell.
  std::shared_ptr<SshExchange> Start(const std::string& script, SshExchange::Kind kind);
  // Reads what an exchange printed meanwhile, as SshExchange::Read; ends when it has waited for a channel too long.
  std::string Read(SshExchange* exchange, SteadyTime until) const;
  // As Target::Reach.
  void Reach(Duration longest);

  SshConnection& connection() { return connection_; }
  std::string name() const { return NameOf(connection_.options()); }

 private:
  struct Limits {
    std::size_t bytes;
    Duration time;                                      // from when the script has its channel
    Duration when_cancelled;                            // the same, from then on
    std::optional<Duration> kill_after = std::nullopt;  // on the host; what it printed by then, cut, is the answer
  };
  enum class Reading { kEnded, kLate, kTooLong };

  Answer Execute(const std::string& script, const Limits& limits);
  Reading ReadAll(SshExchange* exchange, const Limits& limits, std::string* output) const;
  static std::size_t MaxReceived(const Limits& limits);
  SteadyTime DeadlineOf(const SshExchange& exchange, const Limits& limits) const;
  // When it was noticed that `cancel` is cancelled, which it must be.
  SteadyTime CancelledSince() const;
  // Throws Error{kUnavailable} for a script whose end is unknown although its command has ended.
  [[noreturn]] void ComplainOfEnd(const SshExchange& exchange, const std::string& output) const;
  // Throws when the engine has no more time for a host that cannot be reached.
  void CheckPatience(const SshExchange& exchange) const;

  const CancelToken& cancel_;
  const AnswerTimes times_;
  mutable std::atomic<SteadyTime> cancelled_at_{SteadyTime()};  // as it was noticed
  SshConnection connection_;
};

}  // namespace cosmos
