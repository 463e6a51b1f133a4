#pragma once

#include <exception>

#include "core/error.h"
#include "core/status.h"

namespace cosmos {

// What an exception means for the attempt that met it: the one place where errors become failure kinds. A lost
// connection, a full disk (here or on the host) and input that can never do (a refused login, an unknown host key,
// folders that may not be written to) are kinds of their own; everything else is plugin_error. Pure; any thread.
FailureKind KindOf(const std::exception& exception);

// `error` of an operation on the target `name` as a sentence that a person can act on: it names the target, and says
// what to do about a kind that the host's own words leave open. Of the same code.
Error OfTarget(const std::string& name, const Error& error);

}  // namespace cosmos
