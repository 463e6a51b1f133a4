#pragma once

#include <cosmos/text.hpp>
#include <string>

namespace cosmos::plugins {

// The number `key` of `parameters`, or `fallback` when there is none. In a dry run a value may still be the text of an
// expression; that counts as none too.
double Number(const sdk::Json& parameters, const char* key, double fallback);

// The text `key` of `parameters`, or an empty one. Throws StageFailure invalid_input for a NUL character, which neither
// a shell nor a file's metadata can hold.
std::string Text(const sdk::Json& parameters, const char* key);

// Whether the switch `key` of `parameters` is given as true.
bool IsOn(const sdk::Json& parameters, const std::string& key);

// A number as people write it: 0.4, 24, 1920.
std::string Format(double number);

}  // namespace cosmos::plugins
