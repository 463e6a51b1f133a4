#pragma once

#include <map>
#include <string>
#include <vector>

namespace cosmos::stand_ins {

// One argument of a script. `kind`: 's' text, 'i' integer, 'f' number, 'b' a flag without a value, 'l' texts up to the
// next argument.
struct Argument {
  std::string name;  // with its dashes
  char kind = 's';
  std::vector<std::string> choices = {};
  bool required = false;
};

// What a script was given, by name; as strict as Python's argparse: what it does not know, or cannot read, ends the
// process with argparse's message and status 2.
class Arguments {
 public:
  Arguments(std::string script, const std::vector<Argument>& known, const std::vector<std::string>& words);

  bool Has(const std::string& name) const { return values_.count(name) > 0; }
  std::string Get(const std::string& name, const std::string& fallback = "") const;
  std::vector<std::string> List(const std::string& name) const;
  double Number(const std::string& name, double fallback) const;

 private:
  [[noreturn]] void Fail(const std::string& message) const;

  const std::string script_;
  std::map<std::string, std::vector<std::string>> values_;
};

}  // namespace cosmos::stand_ins
