// One target as a program of libFuzzer's. FUZZ_READ is its function.

#include <cstddef>
#include <cstdint>

#include "fuzz/fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cosmos::testing::FUZZ_READ({reinterpret_cast<const char*>(data), size});
  return 0;
}
