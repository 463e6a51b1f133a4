#include "target/ssh/remote_shell.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "target/ssh/remote_frame.h"

namespace cosmos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kTick = milliseconds(500);
constexpr auto kGraceAfterCancel = seconds(15);  // for a lost connection to come back, so that jobs can be ended
constexpr auto kGraceAfterLongest = seconds(10);
constexpr std::size_t kMostOutput = 1 << 20;  // of a script that is not the engine's own
constexpr int kTries = 3;                     // of a script that a signal ends
constexpr auto kPauseAfterSignal = seconds(1);
constexpr std::size_t kMostMark = 256;  // behind it, with the mark of its end

std::string LastLine(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const std::size_t line = text.rfind('\n');
  return line == text.npos ? text : text.substr(line + 1);
}

}  // namespace

RemoteShell::RemoteShell(const SshOptions& options, const CancelToken* cancel, SshConnection::Observer observer)
    : cancel_(*cancel), connection_(options, std::move(observer)) {}

std::shared_ptr<SshExchange> RemoteShell::Start(const std::string& script, SshExchange::Kind kind) {
  const RemoteFrame frame;
  const std::string text = frame.Streamed(script);
  auto exchange = connection_.Start(RemoteFrame::Command(text.size()), frame.begin(), kind);
  exchange->Write(text, nullptr);
  return exchange;
}

void RemoteShell::CheckPatience(const SshExchange& exchange) const {
  if (!cancel_.cancelled() || exchange.opened()) return;
  const SteadyTime now = std::chrono::steady_clock::now();
  SteadyTime since{};
  if (cancelled_at_.compare_exchange_strong(since, now)) since = now;
  const std::optional<SteadyTime> down = connection_.down_since();
  if (!cancel_.abandoned() && (!down || now < std::max(since, *down) + kGraceAfterCancel)) return;
  const std::string problem = connection_.problem();
  throw Error(ErrorCode::kConnectionLost,
              "the host " + name() + " cannot be reached" + (problem.empty() ? "" : ": " + problem) +
                  "; what runs there goes on",
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

RemoteShell::Answer RemoteShell::Ask(const std::string& script, std::optional<Duration> longest) {
  for (int tries = 1;; ++tries) {
    const RemoteFrame frame;
    const std::string text = frame.Answered(script);
    const auto exchange =
        connection_.Start(RemoteFrame::Command(text.size(), longest), frame.begin(), SshExchange::Kind::kShort);
    exchange->Write(text, nullptr);
    exchange->CloseInput();
    Answer answer;
    answer.repeated = tries > 1;
    std::string& output = answer.command.output;
    for (;;) {
      output += Read(exchange.get(), std::chrono::steady_clock::now() + kTick);
      // The mark of the end is in what comes last.
      if (longest && output.size() > kMostOutput + kMostMark)
        output.erase(kMostOutput, output.size() - kMostOutput - kMostMark);
      if (exchange->ended()) break;
      if (!longest || !exchange->opened() ||
          std::chrono::steady_clock::now() < *exchange->opened() + *longest + kGraceAfterLongest)
        continue;
      exchange->Stop();
      answer.command.timed_out = true;
      return answer;
    }
    if (exchange->end() == SshExchange::End::kRefused) std::rethrow_exception(exchange->failure());
    if (exchange->end() != SshExchange::End::kExited) continue;
    const std::optional<int> status = frame.TakeEnd(&output);
    if (longest && output.size() > kMostOutput) output.resize(kMostOutput);
    answer.command.exit_status = status.value_or(exchange->exit_status());
    answer.command.errors = exchange->Errors();
    // `timeout` may be taken away by the KILL that it sends, and then there is no exit status.
    const bool killed = !status && (answer.command.exit_status == 128 + 9 || answer.command.exit_status == -1);
    answer.command.timed_out = longest && killed && std::chrono::steady_clock::now() >= *exchange->opened() + *longest;
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

std::string RemoteShell::Demand(const std::string& script) {
  Answer answer = Ask(script);
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
