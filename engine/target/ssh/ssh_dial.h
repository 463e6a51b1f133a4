#pragma once

#include "core/cancel.h"
#include "core/clock.h"
#include "core/fd.h"
#include "target/ssh/ssh_settings.h"

namespace cosmos {

// A TCP connection to the settings' host, from the address or interface that they name, to the first of its addresses
// that answers. Each gets `limit`. Throws Error{kConnectionLost} with the reason of the last one.
Fd Dial(const SshSettings& settings, Duration limit, const CancelToken& cancel);

// Whether the other end is this machine's loopback address.
bool IsLoopback(const Fd& connection);

}  // namespace cosmos
