#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace cosmos {

// The matrix of a stage, its expressions resolved. A value.
struct Matrix {
  // The axes with their values, in the order in which they are written.
  std::vector<std::pair<std::string, nlohmann::json>> axes;
  // Objects. An instance that has all values of one of `exclude` is left out. One of `include` gives its further keys
  // to the instances that have its values of the axes, or is an instance of its own where none has.
  std::vector<nlohmann::json> exclude;
  std::vector<nlohmann::json> include;

  bool empty() const { return axes.empty() && include.empty(); }
};

// One combination of a matrix: its values, and a safe name made of them that no other combination of it has.
struct MatrixInstance {
  nlohmann::json values = nlohmann::json::object();  // all keys of the matrix; null for those that it lacks
  std::string name;                                  // empty without a matrix
};

// The most combinations that there may be; 1 without a matrix.
size_t CombinationsOf(const Matrix& matrix);
// About how much memory a plan takes for them, in bytes; with the limits of lists, this does not overflow.
size_t MemoryOfCombinations(const Matrix& matrix);
// The cross product of the axes (the last changes fastest) without `exclude` and with `include`, named after their
// values. One instance without values for an empty matrix; none when all are excluded.
std::vector<MatrixInstance> ExpandMatrix(const Matrix& matrix);
// Gives the instances other names: `texts`, one for each, made safe and different.
void NameInstances(const std::vector<std::string>& texts, std::vector<MatrixInstance>* instances);

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
