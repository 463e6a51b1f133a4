#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace cosmos {

// The keys of a stage's matrix with their values, in the order in which they are written.
using Matrix = std::vector<std::pair<std::string, nlohmann::json>>;

// One combination of a matrix: its values, and a safe name made of them that no other combination of it has.
struct MatrixInstance {
  nlohmann::json values = nlohmann::json::object();
  std::string name;  // empty without a matrix
};

// How many combinations there are; 1 without a matrix.
size_t CombinationsOf(const Matrix& matrix);
// About how much memory a plan takes for them, in bytes; with the limits of lists, this does not overflow.
size_t MemoryOfCombinations(const Matrix& matrix);
// The cross product; the last key changes fastest. One instance without values for an empty matrix.
std::vector<MatrixInstance> ExpandMatrix(const Matrix& matrix);

// Finds the instances that have the values of a viewer. A value; const use from any thread.
class MatrixIndex {
 public:
  // `instances` must outlive the index.
  explicit MatrixIndex(const std::vector<MatrixInstance>* instances) : instances_(instances) {}

  // The instances (by position) that have the same values as `viewer` under all keys that both have: all of them when
  // none is shared. `shared` must be the keys that both have.
  std::vector<size_t> Matching(const nlohmann::json& viewer, const std::vector<std::string>& shared);

 private:
  const std::vector<MatrixInstance>* instances_;
  // For the keys shared (joined), the instances by their values under them.
  std::map<std::string, std::map<std::string, std::vector<size_t>>> by_values_;
};

}  // namespace cosmos
