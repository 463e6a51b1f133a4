#include "prompt_enhancement/schema.h"

#include <initializer_list>
#include <string>

#include "common/choice_schema.h"
#include "common/model_launch.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;

// What all back ends have.
constexpr const char* kCommon = R"json({
  "prompt": {
    "type": "string", "minLength": 1, "maxLength": 16000,
    "description": "The artist's words."
  },
  "negative_prompt": {
    "type": "string", "maxLength": 16000, "default": "",
    "description": "What must not be seen. Passed on unchanged."
  }
})json";

// What back ends have that can fail.
constexpr const char* kFallback = R"json({
  "fallback": {
    "enum": ["none", "original"], "default": "none",
    "description": "When the back end fails: none: the stage fails; original: it goes on with the artist's words, and says so in log, record and outputs."
  }
})json";

constexpr const char* kTemplate = R"json({
  "camera": {
    "type": "string", "minLength": 1, "maxLength": 1000, "default": "auto",
    "description": "auto: what suits the prompt; none: add nothing; else the words to add."
  },
  "light": {
    "type": "string", "minLength": 1, "maxLength": 1000, "default": "auto",
    "description": "auto: what suits the prompt; none: add nothing; else the words to add."
  },
  "style": {
    "type": "string", "minLength": 1, "maxLength": 1000, "default": "auto",
    "description": "auto: what suits the prompt; none: add nothing; else the words to add."
  }
})json";

constexpr const char* kOpenAi = R"json({
  "base_url": {
    "type": "string", "pattern": "^https?://[^/?#@\\s]+(/[^?#\\s]*)?$",
    "x-hint": "write such as http://localhost:8000/v1, without user, question mark or #",
    "description": "Where the API is, such as http://localhost:8000/v1. Requests go to …/chat/completions below it, and redirects are not followed."
  },
  "model": {"type": "string", "minLength": 1, "maxLength": 500, "description": "The model, as the server calls it."},
  "api_key": {
    "type": "string", "x-only-secret": true,
    "description": "A secret, `${{ secrets.NAME }}`. Default: none is sent, as local servers have it."
  },
  "system_prompt": {"type": "string", "minLength": 1, "maxLength": 16000, "description": "What the model is told to do with the prompt."},
  "temperature": {"type": "number", "minimum": 0, "maximum": 2, "default": 0.7, "description": "How freely the model writes."},
  "max_tokens": {
    "type": "integer", "minimum": 16, "maximum": 131072, "default": 1024,
    "description": "The most tokens of an answer, reasoning included."
  },
  "seed": {"type": "integer", "minimum": 0, "description": "The seed, for servers that take one. Default: none is sent."},
  "video": {
    "type": "string", "format": "input-file", "minLength": 1,
    "description": "A video of the shot, for models that take images. Default: the model gets the prompt alone."
  },
  "images": {
    "type": "integer", "minimum": 0, "maximum": 16, "default": 3,
    "description": "How many frames of the video are sent, evenly spaced in time."
  },
  "timeout": {"type": ["string", "number"], "format": "duration", "default": "2m", "description": "The longest that one request may take."},
  "attempts": {
    "type": "integer", "minimum": 1, "maximum": 20, "default": 3,
    "description": "How many requests are made at most. Too many requests (429), errors of the server (5xx), lost connections and time-outs are tried again."
  },
  "max_wait": {
    "type": ["string", "number"], "format": "duration", "default": "1m",
    "description": "The longest pause between two requests, also when the server asks for a longer one."
  }
})json";

constexpr const char* kSystemPrompt =
    "You turn an artist's short prompt into one prompt for a video generation model. Keep all that the artist says: "
    "subjects, actions, places, moods and named styles. Contradict none of it and add no new subjects. Add what the "
    "picture needs and the prompt leaves open: surroundings, materials, weather, light, colour, the camera's place, "
    "lens and movement, and how things move over time. When frames of the shot are given, its layout and motion are "
    "settled: describe what they show in the look that the prompt asks for. Describe only what can be seen, in the "
    "present tense, in English, as one paragraph of 80 to 150 words. No list, no heading, no quotation marks, nothing "
    "about the prompt or yourself. Answer with the prompt alone.";

constexpr const char* kUpsampler = R"json({
  "video": {
    "type": "string", "format": "input-file", "minLength": 1,
    "description": "A video of the shot, of which the model sees the first two frames. Small: 320 x 180 pixels are enough, and 1280 x 720 are too many for it."
  },
  "checkpoint_dir": {
    "type": "string", "minLength": 1, "default": "checkpoints",
    "description": "The folder of the weights, seen from repo."
  }
})json";

// The parameters of one back end: all that the parts have.
Json Branch(std::initializer_list<const char*> parts, const Json& required) {
  Json properties = Json::object();
  for (const char* part : parts) properties.update(sdk::ParseJson(part));
  return {{"properties", properties}, {"required", required}, {"additionalProperties", false}};
}

}  // namespace

Json ParameterSchema() {
  Json upsampler = Branch({kCommon, kUpsampler, kFallback}, {"prompt", "video"});
  Json launch = LaunchParameters();
  launch.erase("launcher");  // it is always torchrun
  upsampler["properties"].update(launch);
  Json openai = Branch({kCommon, kOpenAi, kFallback}, {"prompt", "base_url", "model"});
  openai["properties"]["system_prompt"]["default"] = kSystemPrompt;
  return ChoiceSchema(
      "backend", "template",
      {{"template", "fixed rules over the prompt's words; the same prompt always gives the same result.",
        Branch({kCommon, kTemplate}, {"prompt"})},
       {"openai", "a model behind an OpenAI-compatible API.", openai},
       {"cosmos-upsampler", "the prompt upsampler of cosmos-transfer1, on a GPU of the stage's target.", upsampler}});
}

Json OutputSchema() {
  return Json::parse(R"json({
    "type": "object",
    "properties": {
      "prompt": {"type": "string", "description": "The enhanced prompt."},
      "prompt_id": {"type": "string", "description": "The enhanced prompt's record."},
      "original_prompt": {"type": "string", "description": "The artist's words."},
      "original_prompt_id": {"type": "string", "description": "The record of the artist's words."},
      "negative_prompt": {"type": "string", "description": "As given."},
      "enhanced": {"type": "boolean", "description": "false when the back end failed and `prompt` is the artist's."},
      "failure": {"type": "string", "description": "Why it failed; empty when it did not."},
      "record": {"type": "string", "description": "A JSON file that tells how the prompt was made."}
    }
  })json");
}

}  // namespace cosmos::plugins
