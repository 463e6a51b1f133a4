#pragma once

#include <string>
#include <vector>

namespace cosmos {

// The program without its `main`: takes the words of the command line behind the program's name, and returns its exit
// status. Prints to stdout and stderr; never throws.
int Program(const std::vector<std::string>& words);

}  // namespace cosmos
