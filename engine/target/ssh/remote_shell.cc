#include "target/ssh/remote_shell.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "target/ssh/remote_scripts.h"

namespace cosmos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kTick = milliseconds(500);
constexpr auto kGraceAfterCancel = seconds(15);  // for a lost connection to come back, so that jobs can be ended
constexpr auto kGraceAfterLongest = seconds(10);
constexpr std::size_t kMostOutput = 1 << 20;  // of a script that is not the engine's own

std::string LastLine(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const std::size_t line = text.rfind('\n');
  return line == text.npos ? text : text.substr(line + 1);
}

}  // namespace

RemoteShell::RemoteShell(const SshOptions& options, const CancelToken* cancel, SshConnection::Observer observer)
    : cancel_(*cancel), connection_(options, std::move(observer)) {}

std::shared_ptr<SshExchange> RemoteShell::Start(const std::string& script, SshExchange::Kind kind) {
  return connection_.Start(CommandOfScript(script), kScriptBegin, kind);
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
    const auto exchange = connection_.Start(CommandForScriptOnStdin(longest), kScriptBegin, SshExchange::Kind::kShort);
    exchange->Write(script, nullptr);
    exchange->CloseInput();
    Answer answer;
    answer.repeated = tries > 1;
    for (;;) {
      answer.command.output += Read(exchange.get(), std::chrono::steady_clock::now() + kTick);
      if (longest && answer.command.output.size() > kMostOutput) answer.command.output.resize(kMostOutput);
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
    answer.command.exit_status = exchange->exit_status();
    answer.command.errors = exchange->Errors();
    // `timeout` may be taken away by the KILL that it sends, and then there is no exit status.
    const int status = answer.command.exit_status;
    answer.command.timed_out = longest && (status == 128 + 9 || status == -1) &&
                               std::chrono::steady_clock::now() >= *exchange->opened() + *longest;
    return answer;
  }
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
