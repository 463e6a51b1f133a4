#include "common/frames_parameter.h"

namespace cosmos::plugins {

sdk::Json FramesParameter(const std::string& description) {
  sdk::Json schema = sdk::Json::parse(R"json({
    "type": ["string", "integer"],
    "pattern": "^ *-?[0-9]{1,10}(--?[0-9]{1,10}(x[0-9]{1,9})?)?( *, *-?[0-9]{1,10}(--?[0-9]{1,10}(x[0-9]{1,9})?)?)* *$",
    "x-hint": "write numbers and ranges, such as 1001-1100, 1-100x2 (every second frame) or 1,5,10-20"
  })json");
  schema["description"] = description;
  return schema;
}

std::string FramesOf(const sdk::Json& parameters) {
  const sdk::Json frames = parameters.value("frames", sdk::Json(""));
  return frames.is_string() ? frames.get<std::string>() : frames.dump();
}

}  // namespace cosmos::plugins
