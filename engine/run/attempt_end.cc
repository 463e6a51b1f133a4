#include "run/attempt_end.h"

#include "target/target_error.h"

namespace cosmos {

Failure FailureOf(const std::exception& exception) { return {KindOf(exception), exception.what()}; }

}  // namespace cosmos
