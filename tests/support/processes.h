#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "support/sandbox.h"

namespace cosmos::testing {

// A process as /proc told of it a moment ago.
struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t session = 0;
  uid_t user = 0;
  char state = '?';
  std::string name;  // of the program, at most 15 characters

  // An ended process whose parent has not asked for its status yet counts as gone.
  bool Gone() const { return state == 'Z' || state == 'X'; }
  std::string CommandLine() const;  // the words, with a blank after each
  std::string Environment() const;  // NAME=VALUE, with a '\0' after each
};

// Every process of this machine that is not gone.
std::vector<Process> AllProcesses();

// Those of `all` that descend from `ancestor`, without it.
std::vector<Process> DescendantsOf(pid_t ancestor, const std::vector<Process>& all);

// How many descriptors it holds; 0 when it is gone.
int DescriptorsOf(pid_t pid);
// Whether a child of this process has ended; it can still be waited for.
bool HasEnded(pid_t child);

// Kills them and returns when they are gone. What was killed before its parent could reap it is left to that parent.
void KillAndAwait(const std::vector<pid_t>& pids);

// Runs a program to its end; its stdin is empty. One that takes longer than `limit` is killed. What it leaves running
// in the background may keep its output open: that is not waited for.
Ended RunProgram(const std::vector<std::string>& words, std::chrono::milliseconds limit = std::chrono::minutes(2));

// The same, for the steps of a fixture.
// Throws std::runtime_error with the words and what they printed when the status is not 0.
std::string MustRun(const std::vector<std::string>& words);

// Whether the shell would find this program.
bool HasProgram(const std::string& name);

// A new folder `PREFIX-XXXXXX` in `below`. Every account may pass through both, which mkdtemp's folders forbid.
std::filesystem::path MakeFolder(const std::filesystem::path& below, const std::string& prefix);

}  // namespace cosmos::testing
