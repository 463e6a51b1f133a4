#include "stand_ins/arguments.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace cosmos::stand_ins {

Arguments::Arguments(std::string script, const std::vector<Argument>& known, const std::vector<std::string>& words)
    : script_(std::move(script)) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    const std::string name = words[i].substr(0, equals);
    const auto argument =
        std::find_if(known.begin(), known.end(), [&](const Argument& candidate) { return candidate.name == name; });
    if (argument == known.end()) Fail("unrecognized arguments: " + words[i]);
    std::vector<std::string>& values = values_[name];
    if (argument->kind == 'b') continue;
    if (equals != words[i].npos) {
      values = {words[i].substr(equals + 1)};
    } else {
      while (i + 1 < words.size() && words[i + 1].rfind("-", 0) != 0 && (argument->kind == 'l' || values.empty())) {
        values.push_back(words[++i]);
      }
    }
    if (values.empty()) Fail("argument " + name + ": expected one argument");
    char* end = nullptr;
    if (argument->kind == 'i') std::strtol(values[0].c_str(), &end, 10);
    if (argument->kind == 'f') std::strtod(values[0].c_str(), &end);
    if (end != nullptr && (*end != '\0' || end == values[0].c_str())) {
      Fail("argument " + name + ": invalid " + (argument->kind == 'i' ? "int" : "float") + " value: '" + values[0] +
           "'");
    }
    const auto& choices = argument->choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), values[0]) == choices.end()) {
      Fail("argument " + name + ": invalid choice: '" + values[0] + "'");
    }
  }
  for (const Argument& argument : known) {
    if (argument.required && !Has(argument.name)) Fail("the following arguments are required: " + argument.name);
  }
}

std::string Arguments::Get(const std::string& name, const std::string& fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() || found->second.empty() ? fallback : found->second[0];
}

std::vector<std::string> Arguments::List(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

double Arguments::Number(const std::string& name, double fallback) const {
  return Has(name) ? std::atof(Get(name).c_str()) : fallback;
}

void Arguments::Fail(const std::string& message) const {
  std::fprintf(stderr, "usage: %s [-h] …\n%s: error: %s\n", script_.c_str(), script_.c_str(), message.c_str());
  std::exit(2);
}

}  // namespace cosmos::stand_ins
