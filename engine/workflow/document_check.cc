#include "workflow/document_check.h"

#include "core/error.h"
#include "workflow/schema_texts.h"

namespace cosmos {

using nlohmann::json;

DocumentCheck::DocumentCheck(std::string text, std::string file, const PluginDirectory* directory,
                             PluginChecks::Checkers* checkers, const Environment* environment)
    : document(YamlDocument::Parse(std::move(text), std::move(file))),
      findings(document.findings()),
      plugins(directory, checkers, &findings),
      references(&document, &findings, environment) {}

void DocumentCheck::CheckShape(const SchemaChecker& checker, const std::string& root_name) {
  KeepTexts(checker.schema(), document.root(), document.mutable_value());
  Add(checker.Check(document.value(), Texts::kTemplates, {}, root_name), document.root(), 0);
}

void DocumentCheck::Add(const SchemaProblems& problems, const YamlNode& node, size_t prefix) {
  for (const SchemaProblem& problem : problems) {
    if (findings.full()) return;
    const auto start = problem.path.begin() + static_cast<std::ptrdiff_t>(std::min(prefix, problem.path.size()));
    const YamlNode* at = node.Nearest(SchemaPath(start, problem.path.end()));
    findings.Add(problem.at_key ? at->key : at->value, problem.message, problem.hint);
  }
}

std::optional<json> DocumentCheck::Resolved(const std::string& name, const YamlNode& node,
                                            const std::function<json()>& resolve) {
  try {
    return resolve();
  } catch (const Error& error) {
    findings.Add(node.value, name + ": " + error.message(), error.hint());
    return std::nullopt;
  }
}

std::string DocumentCheck::Where(Place place) const {
  return document.file() + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

const YamlNode& NodeIn(const YamlNode& node, const char* key) {
  const YamlNode* member = node.Member(key);
  return member == nullptr ? node : *member;
}

}  // namespace cosmos
