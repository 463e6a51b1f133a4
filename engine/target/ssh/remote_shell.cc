#include "target/ssh/remote_shell.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "target/ssh/remote_frame.h"

namespace cosmos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kTick = milliseconds(500);
constexpr auto kGraceAfterCancel = seconds(15);  // for a lost connection to come back, so that jobs can be ended
constexpr auto kGraceAfterTimeout = seconds(10);
constexpr std::size_t kMaxOutput = 1 << 20;  // of a script that is not the engine's own
constexpr int kTries = 3;                    // of a script that a signal ends
constexpr auto kPauseAfterSignal = seconds(1);
constexpr std::size_t kMaxReceived = 64 << 20;  // of a script that is not the engine's own, kept or not
constexpr std::size_t kMaxReason = 500;         // characters of a complaint
constexpr std::size_t kMaxMark = 256;           // behind it, with the mark of its end

std::string LastLine(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const std::size_t line = text.rfind('\n');
  return Excerpt(line == text.npos ? text : text.substr(line + 1), kMaxReason);
}

}  // namespace

RemoteShell::RemoteShell(const SshOptions& options, const CancelToken* cancel, SshConnection::Observer observer,
                         const AnswerTimes& times)
    : cancel_(*cancel), times_(times), connection_(options, std::move(observer)) {}

std::shared_ptr<SshExchange> RemoteShell::Start(const std::string& script, SshExchange::Kind kind) {
  const RemoteFrame frame;
  const std::string text = frame.Streamed(script);
  auto exchange = connection_.Start(RemoteFrame::Command(text.size()), frame.begin(), kind);
  exchange->Write(text, SteadyTime::max(), nullptr);
  return exchange;
}

SteadyTime RemoteShell::CancelledSince() const {
  const SteadyTime now = std::chrono::steady_clock::now();
  SteadyTime since{};
  return cancelled_at_.compare_exchange_strong(since, now) ? now : since;
}

void RemoteShell::CheckPatience(const SshExchange& exchange) const {
  if (!cancel_.cancelled() || (exchange.opened() && !cancel_.abandoned())) return;
  const SteadyTime since = CancelledSince();
  const std::optional<SteadyTime> down = connection_.down_since();
  if (!cancel_.abandoned() && (!down || std::chrono::steady_clock::now() < std::max(since, *down) + kGraceAfterCancel))
    return;
  const std::string problem = connection_.problem();
  const std::string what = exchange.opened() ? "the engine stopped waiting for the host " + name()
                                             : "the host " + name() + " cannot be reached";
  throw Error(ErrorCode::kConnectionLost, what + (problem.empty() ? "" : ": " + problem) + "; what runs there goes on",
              "`cosmos-engine resume` goes on with the run, `cosmos-engine cancel` ends it once the host is back");
}

std::string RemoteShell::Read(SshExchange* exchange, SteadyTime until) const {
  for (;;) {
    const SteadyTime next = std::min<SteadyTime>(until, std::chrono::steady_clock::now() + kTick);
    // A token that is cancelled already would end every wait at once.
    std::string bytes = exchange->Read(next, cancel_.cancelled() ? nullptr : &cancel_);
    if (!bytes.empty() || exchange->ended()) return bytes;
    CheckPatience(*exchange);
    if (std::chrono::steady_clock::now() >= until) return "";
  }
}

RemoteShell::Answer RemoteShell::Ask(const Question& question) {
  return Execute(question.script,
                 {question.max_reply, times_.usual + question.work, times_.when_cancelled + question.work});
}

TargetOutput RemoteShell::Run(const std::string& script, Duration timeout) {
  const Duration time = timeout + kGraceAfterTimeout;
  return Execute(script, {kMaxOutput, time, time, timeout}).command;
}

std::size_t RemoteShell::MaxReceived(const Limits& limits) {
  return limits.kill_after ? std::max(kMaxReceived, limits.bytes) : limits.bytes;
}

SteadyTime RemoteShell::DeadlineOf(const SshExchange& exchange, const Limits& limits) const {
  if (!exchange.opened()) return SteadyTime::max();
  const SteadyTime usual = *exchange.opened() + limits.time;
  if (!cancel_.cancelled()) return usual;
  return std::min(usual, std::max(*exchange.opened(), CancelledSince()) + limits.when_cancelled);
}

RemoteShell::Reading RemoteShell::ReadAll(SshExchange* exchange, const Limits& limits, std::string* output) const {
  const std::size_t max_received = MaxReceived(limits) + kMaxMark;
  for (std::size_t received = 0;;) {
    const std::string bytes = Read(exchange, std::chrono::steady_clock::now() + kTick);
    *output += bytes;
    received += bytes.size();
    if (received > max_received) return Reading::kTooLong;
    const bool too_long = output->size() > limits.bytes + kMaxMark;
    // The mark of the end is in what comes last.
    if (too_long) output->erase(limits.bytes, output->size() - limits.bytes - kMaxMark);
    if (exchange->ended()) return Reading::kEnded;
    if (std::chrono::steady_clock::now() >= DeadlineOf(*exchange, limits)) return Reading::kLate;
  }
}

RemoteShell::Answer RemoteShell::Execute(const std::string& script, const Limits& limits) {
  int late = 0;
  for (int tries = 1;; ++tries) {
    const RemoteFrame frame;
    const std::string text = frame.Answered(script);
    const auto exchange = connection_.Start(RemoteFrame::Command(text.size(), limits.kill_after), frame.begin(),
                                            SshExchange::Kind::kShort);
    exchange->Write(text, SteadyTime::max(), nullptr);
    exchange->CloseInput();
    Answer answer;
    answer.repeated = tries > 1;
    std::string& output = answer.command.output;
    const Reading reading = ReadAll(exchange.get(), limits, &output);
    if (reading != Reading::kEnded) exchange->Stop();
    if (reading == Reading::kTooLong) {
      throw Error(
          ErrorCode::kUnavailable,
          fmt::format("the host {} answers a command of the engine with more than {} bytes", name(),
                      MaxReceived(limits)),
          "look there for a wrapper around commands (ForceCommand in sshd_config, command= in authorized_keys)");
    }
    if (reading == Reading::kLate) {
      answer.command.timed_out = true;
      if (limits.kill_after) return answer;
      if (!cancel_.cancelled() && ++late < times_.tries) continue;
      throw Error(ErrorCode::kUnavailable,
                  "the host " + name() + " did not answer a command of the engine within " +
                      FormatDuration(cancel_.cancelled() ? limits.when_cancelled : limits.time * times_.tries),
                  "look there for a file system that hangs: `ssh HOST 'cd WORKDIR && ls'` must return");
    }
    if (exchange->end() == SshExchange::End::kRefused) std::rethrow_exception(exchange->failure());
    if (exchange->end() != SshExchange::End::kExited) continue;
    const std::optional<int> status = frame.TakeEnd(&output);
    if (limits.kill_after && output.size() > limits.bytes) output.resize(limits.bytes);
    answer.command.exit_status = status.value_or(exchange->exit_status());
    answer.command.errors = exchange->Errors();
    // `timeout` may be taken away by the KILL that it sends, and then there is no exit status.
    const bool killed = !status && (answer.command.exit_status == 128 + 9 || answer.command.exit_status == -1);
    answer.command.timed_out =
        limits.kill_after && killed && std::chrono::steady_clock::now() >= *exchange->opened() + *limits.kill_after;
    if (status || answer.command.timed_out) return answer;
    // Ended by a signal, such as by an sshd that goes down: the script is executed again as after a lost connection.
    if (answer.command.exit_status == -1 && tries < kTries) {
      cancel_.WaitFor(kPauseAfterSignal);
      continue;
    }
    const bool not_found = answer.command.exit_status == 126 || answer.command.exit_status == 127;  // of `timeout`, say
    if ((!exchange->begun() && !not_found) || answer.command.exit_status <= 0) ComplainOfEnd(*exchange, output);
    return answer;
  }
}

void RemoteShell::ComplainOfEnd(const SshExchange& exchange, const std::string& output) const {
  const std::string said = LastLine(exchange.begun() ? output + exchange.Errors() : exchange.Errors());
  const std::string quote = said.empty() ? " and printed nothing" : " after it printed '" + said + "'";
  if (!exchange.begun()) {
    throw Error(ErrorCode::kUnavailable,
                "the login shell of " + name() + " ended before it executed the engine's command" + quote,
                "look for `exit` or `exec` in the account's start files there, such as ~/.bashrc and ~/.cshrc; "
                "`ssh HOST true` must come through, and `ssh HOST echo hello` must print hello");
  }
  throw Error(ErrorCode::kUnavailable, "a command of the engine on " + name() + " ended before its time" + quote);
}

std::string RemoteShell::Demand(const Question& question) {
  Answer answer = Ask(question);
  if (answer.command.exit_status == 0) return std::move(answer.command.output);
  const std::string reason = LastLine(answer.command.errors.empty() ? answer.command.output : answer.command.errors);
  throw Error(ErrorCode::kUnavailable,
              "the host " + name() + " cannot do what is asked: " +
                  (reason.empty() ? "exit status " + std::to_string(answer.command.exit_status) : reason));
}

void RemoteShell::Reach(Duration longest) {
  const SteadyTime end =
      longest > std::chrono::hours(10000) ? SteadyTime::max() : std::chrono::steady_clock::now() + longest;
  connection_.Connect(end, &cancel_);
}

}  // namespace cosmos
