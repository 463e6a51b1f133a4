#pragma once

#include <compare>
#include <nlohmann/json.hpp>
#include <string>

#include "core/text.h"

namespace cosmos {

// docker or podman, as it is called on a target. A value.
struct ContainerEngine {
  std::string program = "docker";
  bool sudo = false;

  // Of a target's `container:`, as its schema shapes it.
  static ContainerEngine FromJson(const nlohmann::json& container) {
    return {container.value("engine", "docker"), container.value("sudo", false)};
  }
  // For a shell.
  std::string Words() const { return (sudo ? "sudo -n " : "") + ShellQuote(program); }
  // For messages.
  std::string Name() const { return (sudo ? "sudo " : "") + program; }

  friend auto operator<=>(const ContainerEngine&, const ContainerEngine&) = default;
};

}  // namespace cosmos
