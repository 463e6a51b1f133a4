#include "common/golden_spec_fixture.h"

namespace cosmos::plugins {
namespace {

class GoldenSpec : public GoldenSpecFixture {
 public:
  static auto All() { return Files(TESTDATA); }
  using GoldenSpecFixture::NameOf;
};

TEST_P(GoldenSpec, IsWhatTheModelsDocumentsSay) { Check(sdk::testing::LoadPlugin(PLUGIN_FILE)); }

INSTANTIATE_TEST_SUITE_P(Upscaling, GoldenSpec, ::testing::ValuesIn(GoldenSpec::All()), GoldenSpec::NameOf());

}  // namespace
}  // namespace cosmos::plugins
