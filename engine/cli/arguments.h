#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

namespace cosmos {

// One option of a command. `value` names what it takes, such as "FILE"; empty: it is a switch.
struct OptionSpec {
  std::string name;  // "params", or "param,p" with its letter
  std::string value;
  std::string help;
  bool repeats = false;
};

// What a command takes besides options.
struct PositionalSpec {
  std::string name;  // such as "RUN_ID"
  std::size_t least = 1;
  std::size_t most = 1;
};

// The command line of one command, taken apart. A value.
class Arguments {
 public:
  // Throws Error{kInvalidInput} that names what is unknown, missing or too much, with a suggestion.
  Arguments(const std::string& command, const std::vector<OptionSpec>& options, const PositionalSpec& positionals,
            const std::vector<std::string>& words);

  bool Has(const std::string& name) const { return values_.contains(name); }
  // The last value given, or `otherwise`.
  std::string Get(const std::string& name, const std::string& otherwise = "") const;
  // A whole number from `least` to `most`. Throws Error{kInvalidInput}.
  int GetNumber(const std::string& name, int least, int otherwise, int most = std::numeric_limits<int>::max()) const;
  std::vector<std::string> All(const std::string& name) const;
  const std::vector<std::string>& positionals() const { return positionals_; }
  // The n-th positional, or "" when it was not given.
  std::string Positional(std::size_t n) const { return n < positionals_.size() ? positionals_[n] : ""; }

  // What `--help` says of the options, a line each.
  static std::string Help(const std::vector<OptionSpec>& options);

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> positionals_;
};

}  // namespace cosmos
