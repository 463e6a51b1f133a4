#include "media/picture_wire.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/json.h"
#include "core/json_values.h"

namespace cosmos {
namespace {

std::string Line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

std::string ToWire(const PictureQuery& query) {
  std::string fields;
  for (const std::string& field :
       {query.file.string(), std::string(query.choice.kind == PictureChoice::Kind::kDepth ? "depth" : "colour"),
        query.choice.layer, query.choice.colorspace, std::string(query.wants_pixels ? "pixels" : "")}) {
    fields += field;
    fields += '\0';
  }
  return fields;
}

PictureQuery QueryFromWire(const std::string (&fields)[kQueryFields]) {
  const auto kind = fields[1] == "depth" ? PictureChoice::Kind::kDepth : PictureChoice::Kind::kColour;
  return {fields[0], {kind, fields[2], fields[3]}, !fields[4].empty()};
}

std::string ToWire(const DecodedPicture& picture) {
  Json json = {{"width", picture.width},
               {"height", picture.height},
               {"distances", picture.distances},
               {"colorspace", picture.colorspace},
               {"bytes", picture.pixels.size()}};
  if (picture.depth) json["depth"] = {picture.depth->near, picture.depth->far};
  return Line(json);
}

std::string ToWire(const PictureProblem& problem) {
  return Line({{"problem", problem.message}, {"hint", problem.hint}});
}

PictureAnswer AnswerFromWire(const std::string& line) {
  const Json json = TryParseJson(line, kOwnJson);
  PictureAnswer answer;
  try {
    if (json.contains("problem")) {
      answer.problem = PictureProblem{json.at("problem"), json.at("hint")};
      return answer;
    }
    answer.picture.width = json.at("width");
    answer.picture.height = json.at("height");
    answer.picture.distances = json.at("distances");
    answer.picture.colorspace = json.at("colorspace");
    answer.pixel_bytes = json.at("bytes");
    if (json.contains("depth")) answer.picture.depth = DepthRange{json["depth"].at(0), json["depth"].at(1)};
  } catch (const Json::exception&) {
    throw Error(ErrorCode::kInternal,
                "cosmos-pictures answered '" + line + "', expected JSON that describes a picture");
  }
  return answer;
}

}  // namespace cosmos
