#include "workflow/matrix.h"

#include <algorithm>
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

// A part of an instance's name: of an object its name, or all of its plain values, so that the name stays readable.
std::string NameTextOf(const json& value) {
  if (!value.is_structured()) return TextOf(value);
  if (value.is_object()) {
    for (const char* key : {"name", "id"}) {
      if (value.contains(key) && !value[key].is_structured()) return TextOf(value[key]);
    }
  }
  std::vector<std::string> texts;
  for (const json& element : value) {
    if (!element.is_structured()) texts.push_back(TextOf(element));
  }
  return texts.empty() ? value.dump() : Join(texts, "-");
}

// Whether the instance has the same values under the keys of `entry`, as far as these are axes of the matrix.
bool AgreesOnAxes(const json& entry, const json& values, const Matrix& matrix) {
  return std::all_of(matrix.axes.begin(), matrix.axes.end(), [&](const auto& axis) {
    const auto wanted = entry.find(axis.first);
    return wanted == entry.end() || *wanted == values[axis.first];
  });
}

std::vector<json> ProductOf(const Matrix& matrix) {
  std::vector<json> product;
  if (!matrix.axes.empty()) product.push_back(json::object());
  for (const auto& [key, values] : matrix.axes) {
    std::vector<json> next;
    for (const json& combination : product) {
      for (const json& value : values) {
        next.push_back(combination);
        next.back()[key] = value;
      }
    }
    product = std::move(next);
  }
  return product;
}

// A null for every key that other instances have.
void FillUp(std::vector<json>* instances) {
  std::set<std::string> keys;
  for (const json& values : *instances) {
    for (const auto& [key, value] : values.items()) keys.insert(key);
  }
  for (json& values : *instances) {
    for (const std::string& key : keys) values.emplace(key, nullptr);
  }
}

// Of the axes in their order, then of the further keys.
std::string NameTextOf(const json& values, const Matrix& matrix) {
  std::vector<std::string> texts;
  std::set<std::string> axes;
  for (const auto& [key, axis] : matrix.axes) {
    axes.insert(key);
    if (!values[key].is_null()) texts.push_back(NameTextOf(values[key]));
  }
  for (const auto& [key, value] : values.items()) {
    if (axes.count(key) == 0 && !value.is_null()) texts.push_back(NameTextOf(value));
  }
  return Join(texts, "_");
}

}  // namespace

size_t CombinationsOf(const Matrix& matrix) {
  constexpr size_t kEnough = 1'000'000'000;
  size_t count = matrix.axes.empty() && !matrix.include.empty() ? 0 : 1;
  for (const auto& [key, values] : matrix.axes) count = std::min(kEnough, count * values.size());
  return count + matrix.include.size();
}

size_t MemoryOfCombinations(const Matrix& matrix) {
  constexpr size_t kInstance = 2048;  // without values
  constexpr size_t kValue = 64;
  const size_t count = CombinationsOf(matrix);
  size_t bytes = count * kInstance;
  for (const auto& [key, values] : matrix.axes) {
    if (!values.empty()) bytes += count / values.size() * MemoryOf(values) + count * (kValue + key.size());
  }
  for (const json& entry : matrix.include) bytes += count * MemoryOf(entry);
  return bytes;
}

std::vector<MatrixInstance> ExpandMatrix(const Matrix& matrix) {
  if (matrix.empty()) return {MatrixInstance()};
  std::vector<json> product = ProductOf(matrix);
  const auto is_excluded = [&](const json& values) {
    return std::any_of(matrix.exclude.begin(), matrix.exclude.end(),
                       [&](const json& entry) { return AgreesOnAxes(entry, values, matrix); });
  };
  product.erase(std::remove_if(product.begin(), product.end(), is_excluded), product.end());
  std::vector<json> all = product;
  for (const json& entry : matrix.include) {
    bool is_taken = false;
    for (size_t i = 0; i < product.size(); ++i) {
      if (!AgreesOnAxes(entry, product[i], matrix)) continue;
      is_taken = true;
      all[i].update(entry);
    }
    if (!is_taken) all.push_back(entry);
  }
  FillUp(&all);
  std::vector<MatrixInstance> instances;
  std::vector<std::string> names;
  for (json& values : all) {
    names.push_back(NameTextOf(values, matrix));
    instances.push_back({std::move(values), ""});
  }
  NameInstances(names, &instances);
  return instances;
}

void NameInstances(const std::vector<std::string>& texts, std::vector<MatrixInstance>* instances) {
  std::set<std::string> names;
  for (size_t i = 0; i < instances->size(); ++i) {
    MatrixInstance& instance = (*instances)[i];
    instance.name = SafeNameOf(texts[i]);
    if (names.insert(instance.name).second) continue;
    // Values such as "a_b", "c" and "a", "b_c" give the same text.
    instance.name += "-" + Sha256(instance.values.dump()).substr(0, 8);
    names.insert(instance.name);
  }
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
