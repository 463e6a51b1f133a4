#pragma once

#include <string>
#include <vector>

#include "prompt_enhancement/interrupt.h"

namespace cosmos::plugins {

struct ProgramResult {
  int exit_status = -1;  // 128 + the signal that ended it; 127 when there is no such program
  std::string out;
  std::string err;
};

// Runs a program of $PATH to its end, without a shell and without input. When `interrupt` is set it is killed, with all
// that it started. Throws sdk::Cancelled then, and std::system_error when it cannot be started.
ProgramResult RunProgram(const std::vector<std::string>& argv, const Interrupt& interrupt);

}  // namespace cosmos::plugins
