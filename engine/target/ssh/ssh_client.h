#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/fd.h"
#include "target/ssh/ssh_options.h"
#include "target/ssh/ssh_settings.h"

namespace cosmos {

// The program `ssh` of this machine, asked how it would reach a host (`ssh -G`), so that all of ssh_config(5) means
// what it means there. Not thread-safe.
class SshClient {
 public:
  SshClient();

  // What ssh would do for these options; nullopt where there is no `ssh` that answers. What an `ssh` reads later as
  // `config_words` lives as long as this. Throws Error{kInvalidInput} with ssh's own complaint, e.g. about a line of
  // the configuration, and Error{kUnavailable} when there is no answer in time (a `Match exec` that hangs) or `cancel`
  // is cancelled.
  std::optional<SshSettings> Ask(const SshOptions& options, const CancelToken& cancel) const;

  // As Ask, with the whole way checked: a jump may have jumps of its own. Throws Error{kInvalidInput} for a way that
  // comes back to a host on it, for which ssh would start processes without end.
  std::optional<SshSettings> FindWay(const SshOptions& options, const CancelToken& cancel) const;

 private:
  std::vector<std::string> config_words_;  // where $HOME is not the account's home folder, which is all that ssh knows
  Fd config_;
};

// Throws Error{kInvalidInput} for names of a target's host, user and jumps that a shell or ssh would take for something
// else.
void CheckNames(const SshOptions& options);

// The command that reaches a host over the jumps of `settings`; empty without jumps.
std::string JumpCommand(const SshSettings& settings);

}  // namespace cosmos
