#pragma once

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "support/processes.h"
#include "support/sandbox.h"

namespace cosmos::testing {

// What an engine came to, with the most memory that it held.
struct Measured {
  int status = -1;
  std::string output;  // stdout and stderr
  long peak_mib = 0;
  std::chrono::steady_clock::duration took{};
};

inline long PeakMib(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stol(line.substr(6)) / 1024;
  }
  return 0;
}

// Runs the engine to its end. After `interrupt_after` it gets one Ctrl-C; zero: never.
inline Measured MeasuredRun(Sandbox* sandbox, const std::vector<std::string>& words,
                            std::chrono::milliseconds interrupt_after = std::chrono::milliseconds(0)) {
  sandbox->Write("engine.out", "");
  const auto begin = std::chrono::steady_clock::now();
  const pid_t pid = sandbox->StartEngine(words);
  Measured measured;
  bool interrupted = interrupt_after.count() == 0;
  while (!HasEnded(pid)) {
    measured.peak_mib = std::max(measured.peak_mib, PeakMib(pid));
    if (!interrupted && std::chrono::steady_clock::now() > begin + interrupt_after) {
      interrupted = true;
      ::kill(pid, SIGINT);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  measured.took = std::chrono::steady_clock::now() - begin;
  measured.status = sandbox->Wait(pid);
  measured.output = sandbox->Read("engine.out");
  return measured;
}

}  // namespace cosmos::testing
