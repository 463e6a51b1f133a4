#pragma once

#include <libssh/libssh.h>

#include <string>

#include "target/ssh/known_hosts.h"
#include "target/ssh/ssh_settings.h"

namespace cosmos {

// The host's key as `SHA256:…`, of a connected session.
std::string FingerprintOf(ssh_session session);

// Compares the key that the host has shown with the known_hosts files of the settings. A key that is not known is
// added to the first of them where StrictHostKeyChecking says so and `learns`. Throws Error{kInvalidInput}, with what
// to do, for every other key that is not known, and for one that is changed or revoked.
void CheckHostKey(ssh_session session, const SshSettings& settings, bool learns);

// The host key algorithms to ask for: those of keys that are known first, since a host shows only one of its keys.
std::string HostKeyAlgorithms(const SshSettings& settings);

}  // namespace cosmos
