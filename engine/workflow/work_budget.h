#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>

namespace cosmos {

// What a check may still make of a file. A few lines can stand for any amount of values, by matrices and expressions
// that repeat each other; each value that is copied into a plan, or looked up for an expression, is taken off here. Not
// thread-safe.
class WorkBudget {
 public:
  // Throws Error{kInvalidInput} when nothing is left, then and from then on.
  void Take(const nlohmann::json& value);
  void TakeBytes(std::size_t bytes);
  bool spent() const { return spent_; }

 private:
  static constexpr std::size_t kBytes = std::size_t{512} << 20;

  std::size_t left_ = kBytes;
  bool spent_ = false;
};

// About how much memory the value takes, in bytes.
std::size_t MemoryOf(const nlohmann::json& value);

}  // namespace cosmos
