// One target as a program of libFuzzer's. FUZZ_TARGET is its name.

#include <cstddef>
#include <cstdint>

#include "fuzz/fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const cosmos::testing::FuzzTarget& target : cosmos::testing::kFuzzTargets) {
    if (target.name == FUZZ_TARGET) target.read({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}
