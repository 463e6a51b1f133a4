#include "workflow/plugin_checks.h"

#include <filesystem>

#include "core/error.h"
#include "core/file_pattern.h"
#include "core/text.h"
#include "workflow/evaluator.h"
#include "workflow/schema_walk.h"
#include "workflow/text_template.h"

namespace cosmos {
namespace {

using nlohmann::json;

SchemaPath Joined(SchemaPath path, const SchemaPath& below) {
  path.insert(path.end(), below.begin(), below.end());
  return path;
}

// What the template stands for; nothing when that is not known before the run, or the template is wrong.
std::optional<std::string> KnownText(const std::string& text, const Scope& scope) {
  if (!TextTemplate::MayHaveExpressions(text)) return text;
  try {
    const TextTemplate parsed = TextTemplate::Parse(text);
    for (const TextTemplate::Part& part : parsed.parts()) {
      if (part.expression && HasDeferred(*part.expression, scope)) return std::nullopt;
    }
    const json value = parsed.Value(scope);
    return value.is_string() ? value.get<std::string>() : std::optional<std::string>();
  } catch (const ExpressionError&) {
    return std::nullopt;  // told where expressions are checked; or a matrix value, which only an instance has
  }
}

// The secret that the templates in `value` refer to, or "".
std::string SecretIn(const json& value) {
  std::string name;
  if (value.is_structured()) {
    for (const json& element : value) {
      if (name.empty()) name = SecretIn(element);
    }
  } else if (value.is_string() && TextTemplate::MayHaveExpressions(value.get_ref<const std::string&>())) {
    try {
      const TextTemplate parsed = TextTemplate::Parse(value.get_ref<const std::string&>());
      for (const TextTemplate::Part& part : parsed.parts()) {
        if (!part.expression) continue;
        ForEachReference(*part.expression, [&](const Expression& reference, bool) {
          if (reference.path[0] == "secrets") name = reference.path[1];
        });
      }
    } catch (const ExpressionError&) {
      return "";  // told where expressions are checked
    }
  }
  return name;
}

// Whether there is such a file or, with `groups`, such a folder or a file of such a pattern.
bool IsInput(const std::string& path, bool groups) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return true;
  if (!groups) return false;
  if (std::filesystem::is_directory(path, error)) return true;
  if (!FilePattern::IsPattern(path)) return false;
  try {
    const FilePattern pattern(path);
    const std::string folder = pattern.folder();
    for (std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, error), end; !error && entry != end;
         entry.increment(error)) {
      if (pattern.Matches(folder + entry->path().filename().string())) return true;
    }
  } catch (const Error&) {
    // No pattern that can be.
  }
  return false;
}

// Whether the text is `${{ secrets.NAME }}` and nothing else.
bool IsSecretAlone(const json& value) {
  if (!value.is_string()) return false;
  try {
    const TextTemplate parsed = TextTemplate::Parse(value.get_ref<const std::string&>());
    if (parsed.parts().size() != 1 || !parsed.parts()[0].expression) return false;
    const Expression& expression = *parsed.parts()[0].expression;
    return expression.kind == Expression::Kind::kReference && expression.path[0] == "secrets";
  } catch (const ExpressionError&) {
    return true;  // told where expressions are checked
  }
}

}  // namespace

const PluginFacts* PluginChecks::Find(const std::string& id, PluginFacts::Kind kind, Place place) {
  const bool hook = kind == PluginFacts::Kind::kHook;
  const PluginFacts* facts = plugins_.Find(id);
  if (facts != nullptr && facts->kind == kind) return facts;
  const std::string problem = facts == nullptr ? plugins_.Problem(id) : "";
  if (facts != nullptr) {
    findings_.Add(place,
                  "'" + id + "' is a " + (hook ? "stage" : "hook") + " plugin, expected a " +
                      (hook ? "hook" : "stage") + " plugin",
                  Suggestion(id, plugins_.Ids(kind)));
  } else if (!problem.empty()) {
    findings_.Add(place, "the plugin '" + id + "' cannot be used: " + problem);
  } else {
    findings_.Add(place, std::string("unknown ") + (hook ? "hook" : "stage") + " plugin '" + id + "'",
                  Suggestion(id, plugins_.Ids(kind)));
  }
  return nullptr;
}

const SchemaChecker* PluginChecks::CheckerOf(const PluginFacts& facts) {
  const auto [entry, is_new] = checkers_.try_emplace(facts.id);
  if (!is_new) return entry->second.get();
  try {
    entry->second = std::make_unique<SchemaChecker>(facts.parameters);
  } catch (const Error& error) {
    findings_.Add({}, "the parameters of the plugin '" + facts.id + "': " + error.message(), "mend the plugin");
  }
  return entry->second.get();
}

json PluginChecks::WithDefaults(const PluginFacts& facts, const json& with) {
  const SchemaChecker* checker = CheckerOf(facts);
  return checker == nullptr ? with : checker->WithDefaults(with, Texts::kTemplates);
}

void PluginChecks::CheckParameters(const PluginFacts& facts, const json& with, const YamlNode& node,
                                   const SchemaPath& path) {
  const SchemaChecker* checker = CheckerOf(facts);
  if (checker == nullptr) return;
  for (const SchemaProblem& problem : checker->Check(with, Texts::kTemplates, path)) {
    const SchemaPath below(problem.path.begin() + static_cast<std::ptrdiff_t>(path.size()), problem.path.end());
    const YamlNode* at = node.Nearest(below);
    findings_.Add(problem.at_key ? at->key : at->value, problem.message, problem.hint);
  }
}

void PluginChecks::CheckSecrets(const PluginFacts& facts, const json& with, const YamlNode& node,
                                const SchemaPath& path) {
  if (CheckerOf(facts) == nullptr) return;
  WalkSchema(facts.parameters, facts.parameters, with,
             [&](const json& schema, const json& value, const SchemaPath& below) {
               if (schema.value("x-only-secret", false) && !IsSecretAlone(value)) {
                 // The value is not shown: it may be the secret itself.
                 findings_.Add(node.Nearest(below)->value,
                               NameOf(Joined(path, below)) + ": found a text, expected a secret and nothing else",
                               "write `${{ secrets.NAME }}`, and where NAME is read from below `secrets:`");
               }
               if (!schema.value("x-no-secrets", false)) return;
               const std::string secret = SecretIn(value);
               if (secret.empty()) return;
               findings_.Add(node.Nearest(below)->value,
                             NameOf(Joined(path, below)) + ": the secret '" + secret +
                                 "' would stand in a file or on a command line, where others can read it",
                             "pass it through env: `env: {" + secret + ": ${{ secrets." + secret + " }}}`");
             });
}

void PluginChecks::CheckFiles(const PluginFacts& facts, const json& with, const YamlNode& node, const SchemaPath& path,
                              const Scope& scope) {
  if (CheckerOf(facts) == nullptr) return;
  WalkSchema(facts.parameters, facts.parameters, with,
             [&](const json& schema, const json& value, const SchemaPath& below) {
               const std::string format = schema.value("format", "");
               if (!value.is_string() || (format != "input-file" && format != "input-path")) return;
               const auto file = KnownText(value.get_ref<const std::string&>(), scope);
               if (!file || file->empty()) return;
               const auto [known, is_new] = is_input_.try_emplace({format, *file});
               if (is_new) known->second = IsInput(*file, format == "input-path");
               if (known->second) return;
               std::error_code ignored;
               const bool exists = std::filesystem::exists(*file, ignored);
               const bool relative = std::filesystem::path(*file).is_relative();
               findings_.Add(node.Nearest(below)->value,
                             NameOf(Joined(path, below)) + ": " +
                                 (exists ? "'" + *file + "' is no file" : "there is no file '" + *file + "'"),
                             "check the path" + (relative ? "; relative ones start at the current folder, " +
                                                                std::filesystem::current_path(ignored).string()
                                                          : std::string()));
             });
}

std::vector<std::string> PluginChecks::OomStepsOf(const PluginFacts& facts, const json& with) {
  const json* const branch = ChosenBranch(facts.parameters, facts.parameters, with);
  const json& schema = branch != nullptr && branch->contains("x-oom-steps") ? *branch : facts.parameters;
  return schema.is_object() ? schema.value("x-oom-steps", std::vector<std::string>()) : std::vector<std::string>();
}

std::optional<std::set<std::string>> PluginChecks::OutputsOf(const PluginFacts& facts, const json& with) {
  std::set<std::string> names;
  const bool declared = facts.outputs.is_object() && facts.outputs.contains("properties");
  if (!declared && facts.outputs_from.empty()) return std::nullopt;
  if (facts.outputs.is_object() && facts.outputs.contains("additionalProperties") &&
      facts.outputs["additionalProperties"] != false) {
    return std::nullopt;
  }
  if (declared) {
    for (const auto& [name, schema] : facts.outputs["properties"].items()) names.insert(name);
  }
  if (!facts.outputs_from.empty() && with.is_object() && with.contains(facts.outputs_from)) {
    const json& from = with[facts.outputs_from];
    if (!from.is_object()) return std::nullopt;
    for (const auto& [name, value] : from.items()) names.insert(name);
  }
  return names;
}

}  // namespace cosmos
