// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_HOOK_HPP_
#define COSMOS_HOOK_HPP_

#include <cosmos/context.hpp>
#include <cosmos/description.hpp>

namespace cosmos::sdk {

// What subscribes to a run's events. One instance serves one run, on one thread of its own; a slow hook is dropped
// from, never waited for. What it throws is recorded and never changes the run's outcome.
class Hook {
 public:
  Hook() = default;
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;
  virtual ~Hook() = default;

  virtual Description Describe() const = 0;

  // Before the first and after the last event. `parameters` is the hook's entry below `hooks:`.
  virtual void Start(const Context& context, const Json& parameters) {
    static_cast<void>(context);
    static_cast<void>(parameters);
  }
  virtual void OnEvent(const Json& event) = 0;
  virtual void Stop() {}
};

}  // namespace cosmos::sdk

#endif  // COSMOS_HOOK_HPP_
