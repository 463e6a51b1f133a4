#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "cli/program.h"
#include "core/process_end.h"

int main(int argc, char** argv) {
  const int status = cosmos::Program({argv + 1, argv + argc});
  if (!cosmos::ThreadsAreLeftBehind()) return status;
  std::cout.flush();
  std::fflush(nullptr);
  ::_exit(status);
}
