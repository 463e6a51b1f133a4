#include "workflow/matrix.h"

#include <numeric>
#include <set>

#include "core/ids.h"
#include "core/sha256.h"
#include "core/text.h"
#include "workflow/evaluator.h"
#include "workflow/work_budget.h"

namespace cosmos {
namespace {

using nlohmann::json;

std::string ValuesUnder(const std::vector<std::string>& keys, const json& values) {
  json picked = json::array();
  for (const std::string& key : keys) picked.push_back(values[key]);
  return picked.dump();
}

}  // namespace

size_t CombinationsOf(const Matrix& matrix) {
  constexpr size_t kEnough = 1'000'000'000;
  size_t count = 1;
  for (const auto& [key, values] : matrix) count = std::min(kEnough, count * values.size());
  return count;
}

size_t MemoryOfCombinations(const Matrix& matrix) {
  constexpr size_t kInstance = 2048;  // without values
  constexpr size_t kValue = 64;
  const size_t count = CombinationsOf(matrix);
  size_t bytes = count * kInstance;
  for (const auto& [key, values] : matrix) {
    if (!values.empty()) bytes += count / values.size() * MemoryOf(values) + count * (kValue + key.size());
  }
  return bytes;
}

std::vector<MatrixInstance> ExpandMatrix(const Matrix& matrix) {
  std::vector<MatrixInstance> instances(matrix.empty() || CombinationsOf(matrix) > 0 ? 1 : 0);
  std::vector<std::string> texts(instances.size());
  for (const auto& [key, values] : matrix) {
    std::vector<MatrixInstance> next;
    std::vector<std::string> next_texts;
    for (size_t i = 0; i < instances.size(); ++i) {
      for (const json& value : values) {
        next.push_back(instances[i]);
        next.back().values[key] = value;
        next_texts.push_back(texts[i] + (texts[i].empty() ? "" : "_") + TextOf(value));
      }
    }
    instances = std::move(next);
    texts = std::move(next_texts);
  }
  if (matrix.empty()) return instances;
  std::set<std::string> names;
  for (size_t i = 0; i < instances.size(); ++i) {
    instances[i].name = SafeNameOf(texts[i]);
    if (names.insert(instances[i].name).second) continue;
    // Values such as "a_b", "c" and "a", "b_c" give the same text.
    instances[i].name += "-" + Sha256(instances[i].values.dump()).substr(0, 8);
    names.insert(instances[i].name);
  }
  return instances;
}

std::vector<size_t> MatrixIndex::Matching(const json& viewer, const std::vector<std::string>& shared) {
  if (shared.empty()) {
    std::vector<size_t> all(instances_->size());
    std::iota(all.begin(), all.end(), size_t{0});
    return all;
  }
  const auto [index, is_new] = by_values_.try_emplace(Join(shared, "\n"));
  if (is_new) {
    for (size_t i = 0; i < instances_->size(); ++i) {
      index->second[ValuesUnder(shared, (*instances_)[i].values)].push_back(i);
    }
  }
  const auto found = index->second.find(ValuesUnder(shared, viewer));
  return found == index->second.end() ? std::vector<size_t>() : found->second;
}

}  // namespace cosmos
