#pragma once

#include <string>

namespace cosmos {

// What may be done about a working folder on a host, which holds inputs, jobs and results.
struct WorkdirRules {
  bool make = true;     // false: nothing is changed there
  bool shared = false;  // others may write there, as `shared_workdir: true` says
};

// Prints the folder, as FolderWords takes it, absolute, whether it is there or not. With `make`, it is made with its
// parents, and its `.cosmos` is for the account alone. Unless it is shared, the script ends with kUnsafeWorkdir and
// prints why when another user than root could replace what is in it: owns it or a folder above it, or may write there.
std::string WorkdirScript(const std::string& folder, WorkdirRules rules = {});

constexpr int kUnsafeWorkdir = 13;

}  // namespace cosmos
