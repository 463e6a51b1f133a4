#include "prompt_enhancement/template_rules.h"

#include <algorithm>
#include <utility>

namespace cosmos::plugins {
namespace {

using Words = std::vector<const char*>;

// Wording that may be added, unless the prompt has one of `said`.
struct Fragment {
  const char* text;
  Words said;
};

// Applies when the prompt has a word of each group of `when` (without groups always) and none of `unless`.
struct Rule {
  const char* name;
  std::vector<Words> when;
  std::vector<Fragment> fragments;
  Words unless = {};
};

// The rules of one aspect. The first `most_rules` rules that apply give their fragments; the last rule stands in only
// when no other applies. A prompt that has a word of `said` speaks of the aspect itself, and gets nothing.
struct Aspect {
  const char* name;
  Words said;
  std::size_t most_rules;
  std::vector<Rule> rules;
};

std::vector<Aspect> Aspects() {
  const Words action = {"run",    "running",   "runs",     "chase",    "chasing", "race",
                        "racing", "fight",     "fighting", "fights",   "jump",    "jumping",
                        "leap",   "explosion", "crash",    "speeding", "sprint",  "skateboarder"};
  const Words person = {"portrait", "face",   "woman",  "man",   "girl", "boy",
                        "child",    "person", "dancer", "actor", "eyes"};
  const Words forest = {"forest", "jungle", "wood", "tree", "grove", "rainforest"};
  const Words nature = {"mountain", "valley", "canyon", "desert", "coast", "ocean",   "sea",   "beach",    "island",
                        "lake",     "river",  "field",  "meadow", "dune",  "glacier", "cliff", "landscape"};
  const Words interior = {"interior", "indoor", "room", "kitchen",    "office", "hallway",   "corridor", "library",
                          "bedroom",  "cafe",   "bar",  "restaurant", "church", "warehouse", "factory",  "workshop"};
  const Words city = {"city", "street", "downtown", "alley", "skyline", "traffic",
                      "car",  "taxi",   "bus",      "neon",  "town"};
  const Words night = {"night", "midnight", "nighttime", "nocturnal"};
  const Words rain = {"rain", "rainy", "raining", "storm", "stormy", "drizzle", "wet"};
  const Words low_sun = {"sunset", "sunrise", "dusk", "dawn", "evening", "golden hour"};
  const Words snow = {"snow", "snowy", "snowing", "winter", "ice", "blizzard"};
  const Words fog = {"fog", "foggy", "mist", "misty", "haze", "hazy"};

  return {
      {"camera",
       {"camera",   "shot",       "dolly",        "pan",      "panning",   "tilt",       "tracking",
        "close up", "closeup",    "wide angle",   "aerial",   "drone",     "handheld",   "steadicam",
        "crane",    "zoom",       "lens",         "pov",      "timelapse", "time lapse", "slow motion",
        "top down", "bird s eye", "establishing", "viewpoint"},
       1,
       {{"action",
         {action},
         {{"tracking shot that keeps pace with the movement", {}}, {"35 mm lens", {"35 mm", "35mm"}}}},
        {"a person",
         {person},
         {{"medium close-up at eye level", {}},
          {"85 mm lens", {"85 mm", "85mm"}},
          {"shallow depth of field", {"depth of field", "bokeh"}}}},
        {"an interior",
         {interior},
         {{"slow push-in from the doorway", {"doorway"}}, {"28 mm lens", {"28 mm", "28mm"}}}},
        {"a city",
         {city},
         {{"slow tracking shot at street level", {"street level"}}, {"35 mm lens", {"35 mm", "35mm"}}}},
        {"a forest",
         {forest},
         {{"slow dolly between the trunks", {"trunk"}}, {"layers of leaves in the foreground", {"foreground"}}}},
        {"open nature", {nature}, {{"slow aerial move forward", {}}, {"wide-angle lens", {}}}},
        {"any scene", {}, {{"steady medium shot with a slow push-in", {}}, {"40 mm lens", {"40 mm", "40mm"}}}}}},
      {"light",
       {"lit", "lighting", "backlit", "backlight", "spotlight", "candlelight", "chiaroscuro", "soft light",
        "hard light", "rim light", "key light", "light from"},
       2,
       {{"rain",
         {rain},
         {{"wet surfaces that mirror every light", {"wet", "reflection", "reflecting", "mirror", "puddle"}},
          {"raindrops catching the light", {"raindrop", "drop"}}}},
        {"night in a city",
         {night, city},
         {{"pools of light from street lamps", {"lamp", "streetlight", "lamplight"}},
          {"deep shadows", {"shadow", "shadowy"}}}},
        {"night",
         {night},
         {{"cool moonlight", {"moon", "moonlight", "moonlit"}}, {"deep shadows", {"shadow", "shadowy"}}},
         city},
        {"a low sun", {low_sun}, {{"low warm sun", {"sun", "sunlight", "warm"}}, {"long shadows", {"shadow"}}}},
        {"fog", {fog}, {{"soft diffuse light", {"diffuse"}}, {"faint shafts of light in the air", {"shaft", "beam"}}}},
        {"snow", {snow}, {{"cold overcast light", {"overcast", "cold"}}, {"bright ground bounce", {"bounce"}}}},
        {"an interior",
         {interior},
         {{"daylight from one side through a window", {"window", "daylight"}},
          {"gentle fill in the shadows", {"shadow"}}}},
        {"a forest", {forest}, {{"sunbeams through the canopy", {"sunbeam", "canopy", "sunlight"}}}},
        {"a person", {person}, {{"soft key light with a gentle rim", {}}}},
        {"open nature", {nature}, {{"clear sunlight with crisp shadows", {"sun", "sunlight", "sunny", "shadow"}}}},
        {"any scene", {}, {{"soft natural light", {"natural light"}}}}}},
      {"style",
       {"style",   "cinematic",  "photorealistic", "realistic",   "photo",           "photograph", "anime",
        "cartoon", "animated",   "animation",      "painting",    "painted",         "watercolor", "watercolour",
        "sketch",  "drawing",    "noir",           "documentary", "black and white", "monochrome", "cgi",
        "render",  "claymation", "stop motion",    "pixel art",   "film grain"},
       1,
       {{"action",
         {action},
         {{"photorealistic", {}}, {"natural motion blur", {"blur", "motion blur"}}, {"strong contrast", {"contrast"}}}},
        {"night in a city",
         {night, city},
         {{"photorealistic", {}},
          {"cinematic grade with cool shadows and warm highlights", {}},
          {"fine film grain", {"grain"}}}},
        {"a person",
         {person},
         {{"photorealistic", {}}, {"natural skin texture", {"skin"}}, {"fine film grain", {"grain"}}}},
        {"nature",
         {[&] {
           Words both = forest;
           both.insert(both.end(), nature.begin(), nature.end());
           return both;
         }()},
         {{"photorealistic", {}},
          {"rich natural colours", {"colour", "color", "colourful", "colorful"}},
          {"fine detail", {"detail", "detailed"}}}},
        {"any scene", {}, {{"photorealistic", {}}, {"cinematic colour grade", {}}, {"fine film grain", {"grain"}}}}}}};
}

// The words of a prompt, in lower case and each between spaces, so that words and phrases are found alike.
class PromptWords {
 public:
  explicit PromptWords(std::string_view prompt) {
    for (const char c : prompt) {
      const bool upper = c >= 'A' && c <= 'Z';
      const bool letter =
          upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (static_cast<unsigned char>(c) & 0x80);
      if (letter) {
        text_ += upper ? static_cast<char>(c - 'A' + 'a') : c;
      } else if (text_.back() != ' ') {
        text_ += ' ';
      }
    }
    text_ += ' ';
  }

  // The first of `words` that the prompt has, as it is or with a plural s; nullptr when it has none.
  const char* First(const Words& words) const {
    const auto found = std::find_if(words.begin(), words.end(), [this](const char* word) {
      const std::string start = std::string(" ") + word;
      return text_.find(start + " ") != std::string::npos || text_.find(start + "s ") != std::string::npos;
    });
    return found == words.end() ? nullptr : *found;
  }

 private:
  std::string text_ = " ";
};

std::string Quoted(const char* word) { return std::string("'") + word + "'"; }

// Adds to `result` what the rules of one aspect give.
void ApplyRules(const Aspect& aspect, const PromptWords& words, Enhancement& result) {
  if (const char* said = words.First(aspect.said)) {
    result.kept.push_back(std::string(aspect.name) + ": nothing added, the prompt says " + Quoted(said));
    return;
  }
  std::size_t applied = 0;
  for (const Rule& rule : aspect.rules) {
    if (rule.when.empty() ? applied > 0 : applied >= aspect.most_rules) continue;
    std::string because;
    const bool applies = std::all_of(rule.when.begin(), rule.when.end(), [&](const Words& group) {
      const char* word = words.First(group);
      if (word != nullptr) because += (because.empty() ? "" : " and ") + Quoted(word);
      return word != nullptr;
    });
    if (!applies || words.First(rule.unless) != nullptr) continue;
    ++applied;
    for (const Fragment& fragment : rule.fragments) {
      const bool repeats = std::any_of(result.added.begin(), result.added.end(),
                                       [&](const Addition& addition) { return addition.text == fragment.text; });
      if (repeats) continue;
      if (const char* said = words.First(fragment.said)) {
        result.kept.push_back(std::string(aspect.name) + ": '" + fragment.text + "' left out, the prompt says " +
                              Quoted(said));
        continue;
      }
      result.added.push_back(
          {aspect.name, fragment.text,
           std::string("rule '") + rule.name + "'" + (because.empty() ? "" : ", the prompt says " + because)});
    }
  }
}

// The additions of one aspect as a sentence.
std::string Sentence(const std::vector<Addition>& added, const std::string& aspect) {
  std::string sentence;
  for (const Addition& addition : added) {
    if (addition.aspect == aspect) sentence += (sentence.empty() ? "" : ", ") + addition.text;
  }
  if (sentence.empty()) return sentence;
  if (sentence[0] >= 'a' && sentence[0] <= 'z') sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
  const char last = sentence.back();
  return last == '.' || last == '!' || last == '?' ? sentence : sentence + ".";
}

// What stands between the artist's words and the first sentence.
std::string Joint(std::string_view prompt) {
  const std::size_t last = prompt.find_last_not_of(" \t\r\n");
  if (last == std::string_view::npos) return {};
  const bool ended = std::string_view(".!?:;,").find(prompt[last]) != std::string_view::npos;
  if (last + 1 < prompt.size()) return {};  // the prompt has its own space or line end
  return ended ? " " : ". ";
}

}  // namespace

Enhancement EnhanceByRules(std::string_view prompt, const Wishes& wishes) {
  const PromptWords words(prompt);
  Enhancement result;
  std::string sentences;
  for (const Aspect& aspect : Aspects()) {
    const std::string& wish = aspect.name == std::string("camera")  ? wishes.camera
                              : aspect.name == std::string("light") ? wishes.light
                                                                    : wishes.style;
    if (wish == "auto") {
      ApplyRules(aspect, words, result);
    } else if (wish == "none") {
      result.kept.push_back(std::string(aspect.name) + ": nothing added, as asked");
    } else {
      result.added.push_back({aspect.name, wish, "as asked"});
    }
    const std::string sentence = Sentence(result.added, aspect.name);
    if (!sentence.empty()) sentences += (sentences.empty() ? "" : " ") + sentence;
  }
  result.prompt = std::string(prompt);
  if (!sentences.empty()) result.prompt += Joint(prompt) + sentences;
  return result;
}

}  // namespace cosmos::plugins
