#include "cli/arguments.h"

#include <boost/program_options.hpp>
#include <charconv>
#include <sstream>

#include "core/error.h"
#include "core/text.h"

namespace cosmos {
namespace po = boost::program_options;
namespace {

constexpr const char* kPositional = "-positional-";

std::string LongName(const OptionSpec& option) { return option.name.substr(0, option.name.find(',')); }

po::options_description Description(const std::vector<OptionSpec>& options) {
  constexpr unsigned kWidth = 110;
  po::options_description description("options", kWidth);
  for (const OptionSpec& option : options) {
    if (option.value.empty()) {
      description.add_options()(option.name.c_str(), option.help.c_str());
    } else {
      auto* value = po::value<std::vector<std::string>>()->value_name(option.value);
      description.add_options()(option.name.c_str(), value, option.help.c_str());
    }
  }
  return description;
}

[[noreturn]] void Refuse(const std::string& command, const std::string& message, const std::string& hint = "") {
  throw Error(ErrorCode::kInvalidInput, message, hint.empty() ? "see `cosmos-engine " + command + " --help`" : hint);
}

}  // namespace

Arguments::Arguments(const std::string& command, const std::vector<OptionSpec>& options,
                     const PositionalSpec& positionals, const std::vector<std::string>& words) {
  po::options_description description = Description(options);
  description.add_options()(kPositional, po::value<std::vector<std::string>>());
  po::positional_options_description places;
  places.add(kPositional, -1);
  try {
    // Guessing would take `--param` for `--params`.
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    const po::parsed_options parsed =
        po::command_line_parser(words).options(description).positional(places).style(style).run();
    for (const auto& option : parsed.options) {
      std::vector<std::string>& values = option.string_key == kPositional ? positionals_ : values_[option.string_key];
      values.insert(values.end(), option.value.begin(), option.value.end());
    }
  } catch (const po::unknown_option& error) {
    const std::string name = error.get_option_name();
    std::vector<std::string> known;
    for (const OptionSpec& option : options) known.push_back("--" + LongName(option));
    Refuse(command, "unknown option '" + name + "'", Suggestion(name, known));
  } catch (const po::error& error) {
    Refuse(command, error.what());
  }
  for (const OptionSpec& option : options) {
    if (!option.repeats && All(LongName(option)).size() > 1) {
      Refuse(command, "the option --" + LongName(option) + " was given more than once");
    }
  }
  if (positionals_.size() < positionals.least) Refuse(command, positionals.name + " is missing");
  if (positionals_.size() > positionals.most) {
    Refuse(command, "found '" + positionals_[positionals.most] + "', which is one argument too many");
  }
}

std::string Arguments::Get(const std::string& name, const std::string& otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() || found->second.empty() ? otherwise : found->second.back();
}

int Arguments::GetNumber(const std::string& name, int least, int otherwise, int most) const {
  if (!Has(name)) return otherwise;
  const std::string text = Get(name);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= least && number <= most) {
    return number;
  }
  const bool bounded = most < std::numeric_limits<int>::max();
  throw Error(ErrorCode::kInvalidInput, "found '" + text + "' after --" + name,
              "expected a whole number " + (bounded ? "from " + std::to_string(least) + " to " + std::to_string(most)
                                                    : "of at least " + std::to_string(least)));
}

std::vector<std::string> Arguments::All(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::string Arguments::Help(const std::vector<OptionSpec>& options) {
  std::ostringstream text;
  text << Description(options);
  return text.str();
}

}  // namespace cosmos
