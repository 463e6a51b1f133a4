#include "target/ssh/remote_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "core/ids.h"
#include "core/text.h"

namespace cosmos {
namespace {

// Functions that the environment brings along must not replace what scripts use; see bash(1), "Functions".
constexpr const char* kPlainNames =
    "unset -f cat cd chmod command cut echo grep head kill mkdir mv printf read rm sleep sort stat tail test tr wait "
    "2>/dev/null\n";

}  // namespace

RemoteFrame::RemoteFrame() {
  const std::string token = NewToken();
  begin_ = "cosmos-begin-" + token + "\n";
  end_ = "cosmos-end-" + token + " ";
}

std::string RemoteFrame::Streamed(const std::string& script) const {
  const std::string mark = "printf '%s\\n' " + ShellQuote(std::string_view(begin_).substr(0, begin_.size() - 1));
  return kPlainNames + mark + "\n" + mark + " >&2\n" + script;
}

std::string RemoteFrame::Answered(const std::string& script) const {
  return Streamed("(\n:\n" + script + "\n)\nstatus=$?\nprintf '%s%s\\n' " + ShellQuote(end_) +
                  " $status\nexit $status\n");
}

std::string RemoteFrame::Command(std::size_t bytes, std::optional<Duration> timeout) {
  const std::string shell = fmt::format("/bin/sh -c 'eval \"$(head -c {})\"'", bytes);
  if (!timeout) return "exec " + shell;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*timeout).count();
  return fmt::format("exec timeout -s KILL {} {}", std::max<long>(1, seconds), shell);
}

std::optional<int> RemoteFrame::TakeEnd(std::string* output) const {
  const std::size_t at = output->rfind(end_);
  int status = 0;
  if (at == output->npos || std::sscanf(output->c_str() + at + end_.size(), "%d", &status) != 1) return std::nullopt;
  output->resize(at);
  return status;
}

}  // namespace cosmos
