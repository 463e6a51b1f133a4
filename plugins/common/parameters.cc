#include "common/parameters.h"

#include <cosmos/failure.hpp>
#include <locale>
#include <sstream>

namespace cosmos::plugins {

double Number(const sdk::Json& parameters, const char* key, double fallback) {
  const auto found = parameters.find(key);
  return found != parameters.end() && found->is_number() ? found->get<double>() : fallback;
}

std::string Text(const sdk::Json& parameters, const char* key) {
  const auto found = parameters.find(key);
  if (found == parameters.end() || !found->is_string()) return {};
  std::string text = found->get<std::string>();
  if (text.find('\0') != std::string::npos) {
    throw sdk::StageFailure("invalid_input",
                            std::string("found a NUL character in '") + key + "', expected text; remove it");
  }
  return text;
}

bool IsOn(const sdk::Json& parameters, const std::string& key) {
  return parameters.value(key, sdk::Json(false)) == true;
}

std::string Format(double number) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text.precision(10);
  text << number;
  return text.str();
}

}  // namespace cosmos::plugins
