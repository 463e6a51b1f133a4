#include "workflow/functions.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>

#include "core/json_values.h"
#include "core/text.h"
#include "workflow/evaluator.h"
#include "workflow/expression_tree.h"
#include "workflow/schema_words.h"

namespace cosmos {
namespace {

using nlohmann::json;
using Arguments = std::vector<json>;

constexpr std::int64_t kMaxRange = 100'000;

const json& ListArgument(const json& value, const char* function, size_t offset) {
  if (value.is_array()) return value;
  throw ExpressionError(offset, std::string(function) + "() got " + Found(value) + ", expected a list");
}

const std::string& TextArgument(const json& value, const char* function, size_t offset) {
  if (value.is_string()) return value.get_ref<const std::string&>();
  throw ExpressionError(offset, std::string(function) + "() got " + Found(value) + ", expected a text");
}

void CheckLength(const std::string& text, const char* function, size_t offset) {
  if (text.size() <= kMaxText) return;
  throw ExpressionError(offset, std::string(function) + "() makes a text of more than 16 MiB");
}

json Join(const Arguments& arguments, size_t offset) {
  const std::string separator = arguments.size() > 1 ? TextOf(arguments[1]) : ",";
  std::string text;
  for (const json& element : ListArgument(arguments[0], "join", offset)) {
    text += (&element == &arguments[0].front() ? "" : separator) + TextOf(element);
    CheckLength(text, "join", offset);
  }
  return text;
}

json FromJson(const Arguments& arguments, size_t offset) {
  if (!arguments[0].is_string()) return arguments[0];
  try {
    return ParseJson(arguments[0].get_ref<const std::string&>());
  } catch (const JsonError& error) {
    throw ExpressionError(offset, std::string("json() cannot read the text: ") + error.what());
  }
}

json Contains(const Arguments& arguments, size_t offset) {
  if (arguments[0].is_array()) {
    return std::find(arguments[0].begin(), arguments[0].end(), arguments[1]) != arguments[0].end();
  }
  if (arguments[0].is_object()) return arguments[0].contains(TextOf(arguments[1]));
  return TextArgument(arguments[0], "contains", offset).find(TextOf(arguments[1])) != std::string::npos;
}

json StartsWith(const Arguments& arguments, size_t) { return TextOf(arguments[0]).starts_with(TextOf(arguments[1])); }

json EndsWith(const Arguments& arguments, size_t) { return TextOf(arguments[0]).ends_with(TextOf(arguments[1])); }

// `{0}` is the first of the further arguments; `{{` and `}}` are braces.
json Format(const Arguments& arguments, size_t offset) {
  const std::string& form = TextArgument(arguments[0], "format", offset);
  std::string text;
  for (size_t i = 0; i < form.size(); ++i) {
    const char c = form[i];
    if (c != '{' && c != '}') {
      text += c;
    } else if (i + 1 < form.size() && form[i + 1] == c) {
      text += c;
      ++i;
    } else {
      const size_t end = c == '{' ? form.find('}', i) : form.npos;
      const std::string number = end == form.npos ? "" : form.substr(i + 1, end - i - 1);
      const bool is_number =
          !number.empty() && number.size() < 4 && number.find_first_not_of("0123456789") == number.npos;
      if (!is_number) {
        throw ExpressionError(offset, "format() found a lone '" + std::string(1, c) + "' in '" + form + "'",
                              "write {0} for the first argument, {{ and }} for braces");
      }
      const size_t place = std::stoul(number) + 1;
      if (place >= arguments.size()) {
        throw ExpressionError(offset, "format() has no argument for {" + number + "}", "the first is {0}");
      }
      text += TextOf(arguments[place]);
      i = end;
    }
    CheckLength(text, "format", offset);
  }
  return text;
}

json Length(const Arguments& arguments, size_t offset) {
  const json& value = arguments[0];
  if (value.is_structured()) return value.size();
  const std::string& text = TextArgument(value, "length", offset);
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

// The last name in a path, also of a folder's `a/b/`; empty for `/`.
std::filesystem::path NameIn(const std::string& path) {
  const std::filesystem::path given(path);
  return given.has_filename() ? given.filename() : given.parent_path().filename();
}

json Basename(const Arguments& arguments, size_t offset) {
  return NameIn(TextArgument(arguments[0], "basename", offset)).string();
}

// Without the last extension; `.hidden` has none.
json Stem(const Arguments& arguments, size_t offset) {
  return NameIn(TextArgument(arguments[0], "stem", offset)).stem().string();
}

// range(END), range(BEGIN, END), range(BEGIN, END, STEP); without END, as in Python.
json Range(const Arguments& arguments, size_t offset) {
  constexpr std::int64_t kMaxNumber = std::int64_t{1} << 53;
  std::vector<std::int64_t> numbers;
  for (const json& argument : arguments) {
    if (!argument.is_number_integer() || argument > kMaxNumber || argument < -kMaxNumber) {
      throw ExpressionError(offset, "range() got " + Found(argument) + ", expected an integer");
    }
    numbers.push_back(argument.get<std::int64_t>());
  }
  const std::int64_t begin = numbers.size() > 1 ? numbers[0] : 0;
  const std::int64_t end = numbers.size() > 1 ? numbers[1] : numbers[0];
  const std::int64_t step = numbers.size() > 2 ? numbers[2] : 1;
  if (step == 0) throw ExpressionError(offset, "range() has a step of 0", "give another one, such as 1 or -1");
  json list = json::array();
  for (std::int64_t at = begin; step > 0 ? at < end : at > end; at += step) {
    list.push_back(at);
    if (list.size() > kMaxRange) throw ExpressionError(offset, "range() makes more than 100000 numbers");
  }
  return list;
}

json Zip(const Arguments& arguments, size_t offset) {
  json list = json::array();
  for (const json& argument : arguments) {
    if (ListArgument(argument, "zip", offset).size() == arguments[0].size()) continue;
    throw ExpressionError(offset,
                          "zip() got lists of " + std::to_string(arguments[0].size()) + " and " +
                              std::to_string(argument.size()) + " elements",
                          "give lists of the same length");
  }
  for (size_t i = 0; i < arguments[0].size(); ++i) {
    json row = json::array();
    for (const json& argument : arguments) row.push_back(argument[i]);
    list.push_back(std::move(row));
  }
  return list;
}

// The member KEY of each element; null for an element that has none.
json Pluck(const Arguments& arguments, size_t offset) {
  const std::string key = TextOf(arguments[1]);
  json list = json::array();
  for (const json& element : ListArgument(arguments[0], "pluck", offset)) {
    list.push_back(element.is_object() && element.contains(key) ? element[key] : json());
  }
  return list;
}

json Present(const Arguments& arguments, size_t offset) {
  json list = json::array();
  for (const json& element : ListArgument(arguments[0], "present", offset)) {
    if (!element.is_null()) list.push_back(element);
  }
  return list;
}

// Of the status of a stage, or of those of its instances; the parser writes it so.
json Failed(const Arguments& arguments, size_t) {
  const json statuses = arguments[0].is_array() ? arguments[0] : json::array({arguments[0]});
  return std::find(statuses.begin(), statuses.end(), "failed") != statuses.end();
}

}  // namespace

const std::map<std::string, Function>& Functions() {
  static const std::map<std::string, Function> kFunctions = {{"basename", {1, 1, Basename}},
                                                             {"contains", {2, 2, Contains}},
                                                             {"default", {2, 2, nullptr}},
                                                             {"ends_with", {2, 2, EndsWith}},
                                                             {"failed", {1, 1, Failed}},
                                                             {"format", {1, 100, Format}},
                                                             {"join", {1, 2, Join}},
                                                             {"json", {1, 1, FromJson}},
                                                             {"length", {1, 1, Length}},
                                                             {"pluck", {2, 2, Pluck}},
                                                             {"present", {1, 1, Present}},
                                                             {"range", {1, 3, Range}},
                                                             {"starts_with", {2, 2, StartsWith}},
                                                             {"stem", {1, 1, Stem}},
                                                             {"zip", {1, 10, Zip}}};
  return kFunctions;
}

}  // namespace cosmos
