#include "prepare/schema.h"

#include "common/frames_parameter.h"

namespace cosmos::plugins {
namespace {

sdk::Json TextParameter(const std::string& description) {
  return {{"type", "string"}, {"minLength", 1}, {"description", description}};
}

constexpr const char* kPattern =
    "Its sequence, such as z.####.exr, z.%04d.exr or z.$F4.exr, seen from the folder or from the root.";

// What is said of one control.
sdk::Json OneControl(const std::string& control) {
  sdk::Json properties = {{"pattern", TextParameter(kPattern)},
                          {"layer", TextParameter("The layer of its EXR files, in place of the common one.")}};
  if (control != "depth") {
    properties["colorspace"] = TextParameter("What its colours are in, in place of the common one.");
  }
  return {{"type", "object"},
          {"additionalProperties", false},
          {"properties", properties},
          {"description", "What holds for " + control + " alone."}};
}

}  // namespace

const std::vector<std::string>& PreparedControls() {
  static const std::vector<std::string> kControls = {"color", "vis",      "seg",   "edge",
                                                     "depth", "keypoint", "hdmap", "lidar"};
  return kControls;
}

sdk::Json PrepareParameters() {
  sdk::Json schema = sdk::Json::parse(R"json({
    "type": "object",
    "required": ["folder"],
    "additionalProperties": false,
    "properties": {
      "folder": {
        "type": "string", "format": "input-path", "minLength": 1,
        "description": "The folder with the rendered frames, such as render/city or the output of a stage. Frames in folders below it are found as well."
      },
      "name": {
        "type": "string", "minLength": 1,
        "description": "The name of the shot, for the manifest. Default: that of the folder."
      },
      "fps": {
        "type": ["number", "string"], "exclusiveMinimum": 0, "pattern": "^[0-9]+([.][0-9]+|/[0-9]+)?$", "default": 24,
        "description": "Frames a second of the videos: 24, 23.976, 24000/1001."
      },
      "map": {
        "type": "object", "additionalProperties": false, "properties": {},
        "description": "Which sequence is which control, by control, where the names of the files do not show it."
      },
      "layer": {
        "type": "string", "minLength": 1,
        "description": "The layer to take from EXR files with colours, such as diffuse. Default: the picture itself."
      },
      "colorspace": {
        "type": "string", "minLength": 1,
        "description": "What the colours are in: linear-srgb (default for floating-point values), srgb (for integers), acescg, aces2065-1, raw, or a name of the OpenColorIO configuration $OCIO."
      },
      "controls": {
        "type": "object", "additionalProperties": false, "properties": {},
        "description": "What holds for one control alone, by control: pattern, layer, colorspace."
      },
      "depth_range": {
        "type": "string", "pattern": "^[-+.0-9eE]+:[-+.0-9eE]+$",
        "x-hint": "write NEAR:FAR, two distances such as 0.1:250",
        "description": "The distances that are white and black, NEAR:FAR in the scene's units. Default: those of all frames."
      },
      "depth_invert": {"type": "boolean", "default": false, "description": "Whether far is white."},
      "allow_gaps": {
        "enum": ["hold"],
        "description": "hold: the frame before a gap is repeated. Default: frames that are missing are an error."
      },
      "crop_odd": {
        "type": "boolean", "default": false,
        "description": "Whether the last column or row of odd sizes is cut. Default: odd sizes are an error."
      }
    }
  })json");
  sdk::Json& properties = schema.at("properties");
  properties["frames"] =
      FramesParameter("Take only these frames, such as 1001-1100, 1-100x2 or 1,5,10-20. Default: all.");
  for (const std::string& control : PreparedControls()) {
    properties["map"]["properties"][control] = TextParameter(kPattern);
    properties["controls"]["properties"][control] = OneControl(control);
  }
  return schema;
}

sdk::Json PrepareOutputs() {
  sdk::Json properties = {
      {"manifest", {{"type", "string"}, {"description", "manifest.json: what each video was made of, and how."}}}};
  for (const std::string& control : PreparedControls()) {
    properties[control] = {{"type", "string"},
                           {"description", "The video of " + control + ", if the folder has frames of it."}};
  }
  return {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
}

}  // namespace cosmos::plugins
