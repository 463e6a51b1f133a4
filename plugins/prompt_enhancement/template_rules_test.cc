#include "prompt_enhancement/template_rules.h"

#include <gmock/gmock.h>

namespace cosmos::plugins {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Enhance(std::string_view prompt, const Wishes& wishes = {}) {
  return EnhanceByRules(prompt, wishes).prompt;
}

TEST(TemplateRules, EnhancesTheQuickstartsPrompt) {
  EXPECT_EQ(
      Enhance("a rainy city at night, neon reflections"),
      "a rainy city at night, neon reflections. Slow tracking shot at street level, 35 mm lens. Raindrops catching "
      "the light, pools of light from street lamps, deep shadows. Photorealistic, cinematic grade with cool "
      "shadows and warm highlights, fine film grain.");
}

TEST(TemplateRules, SuitsWhatThePromptSays) {
  EXPECT_THAT(Enhance("a forest in fog"),
              AllOf(HasSubstr("between the trunks"), HasSubstr("diffuse"), HasSubstr("natural colours")));
  EXPECT_THAT(Enhance("portrait of an old woman"),
              AllOf(HasSubstr("85 mm"), HasSubstr("key light"), HasSubstr("skin")));
  EXPECT_THAT(Enhance("a quiet library"), AllOf(HasSubstr("doorway"), HasSubstr("window")));
  EXPECT_THAT(Enhance("two cars racing at sunset"),
              AllOf(HasSubstr("keeps pace"), HasSubstr("long shadows"), HasSubstr("motion blur")));
  EXPECT_THAT(Enhance("a lighthouse on a cliff at night"), AllOf(HasSubstr("aerial"), HasSubstr("moonlight")));
  EXPECT_THAT(Enhance("a city at night"), Not(HasSubstr("moonlight")));
  EXPECT_THAT(Enhance("something"), AllOf(HasSubstr("medium shot"), HasSubstr("natural light")));
}

TEST(TemplateRules, DoesNotRepeatWhatTheArtistSaid) {
  EXPECT_THAT(Enhance("Drone shot over a city"), Not(HasSubstr("street level")));
  EXPECT_THAT(Enhance("a wet street in the rain"), Not(HasSubstr("mirror")));
  EXPECT_THAT(Enhance("a castle, watercolour"), Not(HasSubstr("hotorealistic")));
  EXPECT_THAT(Enhance("an office, lit by one lamp"), Not(HasSubstr("window")));
}

TEST(TemplateRules, FindsWholeWordsOnly) {
  EXPECT_THAT(Enhance("a brain in a jar"), Not(HasSubstr("aindrops")));
  EXPECT_THAT(Enhance("RAIN, everywhere"), HasSubstr("aindrops"));
}

TEST(TemplateRules, KeepsTheArtistsWordsUnchanged) {
  for (const char* prompt :
       {"rain", "Rain!", " rain \n", "\"rain\" $(x)\nat night", "\xF0\x9F\x8C\xA7 \xE9\x9B\xA8", "a, b;"}) {
    EXPECT_THAT(Enhance(prompt), StartsWith(prompt));
    EXPECT_GT(Enhance(prompt).size(), std::string(prompt).size());
  }
  EXPECT_THAT(Enhance("Rain!"), StartsWith("Rain! S"));
}

TEST(TemplateRules, FollowsWishes) {
  EXPECT_EQ(Enhance("rain", {"none", "none", "none"}), "rain");
  EXPECT_EQ(Enhance("rain", {"locked-off shot", "none", "ink on paper."}), "rain. Locked-off shot. Ink on paper.");
}

TEST(TemplateRules, SaysWhatAndWhy) {
  const Enhancement result = EnhanceByRules("a rainy city, reflections, handheld", {"auto", "auto", "none"});
  ASSERT_FALSE(result.added.empty());
  EXPECT_EQ(result.added[0].aspect, "light");
  EXPECT_THAT(result.added[0].why, HasSubstr("'rainy'"));
  ASSERT_EQ(result.kept.size(), 3u);
  EXPECT_EQ(result.kept[0], "camera: nothing added, the prompt says 'handheld'");
  EXPECT_EQ(result.kept[1], "light: 'wet surfaces that mirror every light' left out, the prompt says 'reflection'");
  EXPECT_EQ(result.kept[2], "style: nothing added, as asked");
}

}  // namespace
}  // namespace cosmos::plugins
