#pragma once

#include "target/ssh/ssh_options.h"
#include "target/ssh/ssh_settings.h"

namespace cosmos {

// Where there is no program `ssh`: what libssh itself reads in ~/.ssh/config and /etc/ssh/ssh_config, which is less.
// See docs/ssh.md. Throws Error{kInvalidInput} for a file that libssh refuses.
SshSettings SettingsOfLibssh(const SshOptions& options);

}  // namespace cosmos
