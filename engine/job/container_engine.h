#pragma once

#include <compare>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {

// docker or podman, as it is called on a target. A value.
struct ContainerEngine {
  std::string program = "docker";
  bool sudo = false;

  // Of a target's `container:`, as its schema shapes it. Throws Error{kInvalidInput} for another program.
  static ContainerEngine FromJson(const nlohmann::json& container) {
    ContainerEngine engine{container.value("engine", "docker"), container.value("sudo", false)};
    // The schema has said so; of a run's files that somebody edited nothing else does.
    if (engine.program == "docker" || engine.program == "podman") return engine;
    throw Error(ErrorCode::kInvalidInput,
                "found '" + engine.program + "' as a container engine, expected docker or podman");
  }
  // For a shell.
  std::string Words() const { return (sudo ? "sudo -n " : "") + ShellQuote(program); }
  // For messages.
  std::string Name() const { return (sudo ? "sudo " : "") + program; }

  friend auto operator<=>(const ContainerEngine&, const ContainerEngine&) = default;
};

}  // namespace cosmos
