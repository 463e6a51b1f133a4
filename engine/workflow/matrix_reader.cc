#include "workflow/matrix_reader.h"

#include <algorithm>
#include <set>

#include "core/text.h"
#include "workflow/evaluator.h"
#include "workflow/expression.h"
#include "workflow/schema_words.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr size_t kMaxInstances = 100'000;
const json kNoMatrix = json::object();

const json& MatrixOf(const StageSource& stage) { return ObjectIn(*stage.value, "matrix"); }

std::string NameOfKey(const StageSource& stage, const std::string& key) {
  return "'matrix." + key + "' of " + stage.name();
}

}  // namespace

bool IsAxis(const std::string& key, const json& value) {
  return key != "include" && key != "exclude" && key != "max_parallel" && (key != "name" || value.is_array());
}

std::vector<std::string> MatrixKeysOf(const StageSource& stage) {
  const json& matrix = MatrixOf(stage);
  std::vector<std::string> keys;
  for (const auto& [key, node] : NodeIn(*stage.node, "matrix").members) {
    if (matrix.contains(key) && IsAxis(key, matrix[key])) keys.push_back(key);
  }
  for (const json& entry : ListIn(matrix, "include")) {
    if (!entry.is_object()) continue;
    for (const auto& [key, value] : entry.items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
  }
  return keys;
}

std::optional<json> MatrixReader::Resolved(const StageSource& stage, const std::string& key, const YamlNode& node) {
  const KnownScope scope(&values_, &kNoMatrix, &budget_);
  return check_.Resolved(NameOfKey(stage, key), node, [&] { return Resolve(MatrixOf(stage)[key], scope); });
}

void MatrixReader::ReadAxis(const StageSource& stage, const std::string& key, const YamlNode& node, Matrix* matrix) {
  const std::string name = NameOfKey(stage, key);
  const auto values = Resolved(stage, key, node);
  if (!values) return;
  if (!values->is_array()) {
    check_.findings.Add(node.value, name + ": expected a list, found " + Found(*values),
                        "write a list, such as [1, 2]");
  } else if (values->empty()) {
    check_.findings.Add(node.value, name + ": the list is empty, so the stage would have no instance",
                        "give at least one value");
  } else if (values->size() > kMaxInstances) {
    check_.findings.Add(node.value,
                        name + ": the list has " + std::to_string(values->size()) + " values, expected at most " +
                            std::to_string(kMaxInstances),
                        "give fewer values");
  } else {
    std::set<json> seen;
    for (const json& value : *values) {
      if (seen.insert(value).second) continue;
      check_.findings.Add(node.value, name + ": " + Found(value) + " stands in the list twice", "remove one of them");
    }
    matrix->axes.emplace_back(key, *values);
  }
}

std::vector<json> MatrixReader::ReadEntries(const StageSource& stage, const char* key) {
  if (!MatrixOf(stage).contains(key)) return {};
  const auto entries = Resolved(stage, key, NodeIn(NodeIn(*stage.node, "matrix"), key));
  return entries && entries->is_array() ? entries->get<std::vector<json>>() : std::vector<json>();
}

// An entry that leaves nothing out is a mistake in a value.
bool MatrixReader::CheckExcluded(const StageSource& stage, const Matrix& matrix) {
  const YamlNode& node = NodeIn(NodeIn(*stage.node, "matrix"), "exclude");
  bool is_right = true;
  for (size_t i = 0; i < matrix.exclude.size() && i < node.items.size(); ++i) {
    for (const auto& [key, value] : matrix.exclude[i].items()) {
      const auto axis = std::find_if(matrix.axes.begin(), matrix.axes.end(),
                                     [&, &key = key](const auto& candidate) { return candidate.first == key; });
      const std::string name = NameOfKey(stage, "exclude");
      const bool has_value =
          axis != matrix.axes.end() && std::find(axis->second.begin(), axis->second.end(), value) != axis->second.end();
      is_right &= has_value;
      if (axis == matrix.axes.end()) {
        std::vector<std::string> axes;
        for (const auto& [candidate, values] : matrix.axes) axes.push_back(candidate);
        check_.findings.Add(node.items[i].value, name + ": the matrix has no axis '" + key + "'",
                            Suggestion(key, axes));
      } else if (!has_value) {
        check_.findings.Add(node.items[i].value, name + ": " + Found(value) + " is no value of '" + key + "'",
                            "write one of the values of the axis");
      }
    }
  }
  return is_right;
}

std::vector<MatrixInstance> MatrixReader::Instances(const StageSource& stage) {
  Matrix matrix;
  const YamlNode& node = NodeIn(*stage.node, "matrix");
  for (const auto& [key, member] : node.members) {
    const auto value = MatrixOf(stage).find(key);
    if (value != MatrixOf(stage).end() && IsAxis(key, *value)) ReadAxis(stage, key, member, &matrix);
  }
  matrix.include = ReadEntries(stage, "include");
  matrix.exclude = ReadEntries(stage, "exclude");
  if (!CheckExcluded(stage, matrix)) return {};
  if (CombinationsOf(matrix) > kMaxInstances) {
    check_.findings.Add(node.value,
                        stage.name() + ": the matrix makes " + std::to_string(CombinationsOf(matrix)) +
                            " instances, expected at most " + std::to_string(kMaxInstances),
                        "give fewer values");
    return {};
  }
  const auto affordable = check_.Resolved("'matrix' of " + stage.name(), node, [&] {
    budget_.TakeBytes(MemoryOfCombinations(matrix));
    return json();
  });
  if (!affordable) return {};
  std::vector<MatrixInstance> instances = ExpandMatrix(matrix);
  if (instances.empty()) {
    check_.findings.Add(NodeIn(node, "exclude").value, NameOfKey(stage, "exclude") + " leaves the stage no instance",
                        "exclude fewer, or remove the stage");
  }
  Name(stage, &instances);
  return instances;
}

void MatrixReader::Name(const StageSource& stage, std::vector<MatrixInstance>* instances) {
  const auto declared = MatrixOf(stage).find("name");
  if (declared == MatrixOf(stage).end() || !declared->is_string()) return;
  if (!check_.findings.empty()) return;  // which may be of what it refers to
  const YamlNode& node = NodeIn(NodeIn(*stage.node, "matrix"), "name");
  std::vector<std::string> texts;
  for (const MatrixInstance& instance : *instances) {
    const KnownScope scope(&values_, &instance.values, &budget_);
    const auto text = check_.Resolved(NameOfKey(stage, "name"), node, [&] { return Resolve(*declared, scope); });
    if (!text) return;
    texts.push_back(TextOf(*text));
  }
  NameInstances(texts, instances);
}

int MatrixReader::MaxParallel(const StageSource& stage) {
  if (!MatrixOf(stage).contains("max_parallel")) return 0;
  const YamlNode& node = NodeIn(NodeIn(*stage.node, "matrix"), "max_parallel");
  const auto most = Resolved(stage, "max_parallel", node);
  if (!most) return 0;
  if (most->is_number_integer() && *most >= 1 && *most <= kMaxInstances) return most->get<int>();
  check_.findings.Add(node.value,
                      NameOfKey(stage, "max_parallel") + ": found " + Found(*most) + ", expected an integer from 1 on",
                      "write how many may be at work at once");
  return 0;
}

}  // namespace cosmos
