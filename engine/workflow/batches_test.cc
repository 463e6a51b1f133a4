#include "workflow/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>

namespace cosmos {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class BatchesTest : public testing::Test {
 protected:
  BatchesTest() {
    facts_.id = "inference";
    facts_.parameters = json::parse(R"json({
      "properties": {"model": {}}, "discriminator": {"propertyName": "model"},
      "oneOf": [
        {"properties": {"model": {"const": "fast"}}, "x-batch": {"vary": ["prompt", "controls.*.video"], "distinct": ["prompt"]}},
        {"properties": {"model": {"const": "slow"}}}]})json");
  }
  StageInstance& Add(const json& with) {
    StageInstance& instance = instances_.emplace_back();
    instance.with = {{"model", "fast"}, {"prompt", std::to_string(instances_.size())}, {"seed", 1}};
    instance.with.update(with);
    return instance;
  }
  // The batch of each instance.
  std::vector<int> Form(size_t most = 100) {
    std::vector<StageInstance*> all;
    for (StageInstance& instance : instances_) all.push_back(&instance);
    FormBatches(facts_, most, all, &next_);
    std::vector<int> batches;
    for (const StageInstance& instance : instances_) batches.push_back(instance.batch);
    return batches;
  }

  PluginFacts facts_;
  std::list<StageInstance> instances_;
  int next_ = 0;
};

TEST_F(BatchesTest, WhatMayVaryIsOneJob) {
  Add({{"controls", {{"seg", {{"weight", 1}, {"video", "a.mp4"}}}}}});
  Add({{"controls", {{"seg", {{"weight", 1}, {"video", "b.mp4"}}}}}});
  Add({{"controls", {{"seg", {{"weight", 1}}}}}});
  EXPECT_THAT(Form(), ElementsAre(0, 0, 0));
  EXPECT_EQ(next_, 1);
}

TEST_F(BatchesTest, WhatMayNotVaryKeepsThemApart) {
  Add(json::object());
  Add({{"seed", 2}});
  Add({{"seed", 2}});
  EXPECT_THAT(Form(), ElementsAre(-1, 0, 0));
  EXPECT_EQ(instances_.front().batch_note, "no other instance fits");
  instances_.clear();
  Add(json::object());
  Add({{"seed", 2}});
  EXPECT_THAT(Form(), ElementsAre(-1, -1));
  EXPECT_EQ(instances_.back().batch_note, "its 'seed' is another one, and fast has one for all of a batch");
}

TEST_F(BatchesTest, SoDoTargetsContainersAndGpus) {
  Add(json::object());
  Add(json::object()).target = "gpu2";
  Add(json::object()).container = {{"image", "x"}};
  Add(json::object()).gpus = 2;
  Add(json::object()).env = {{"A", "1"}};
  Add(json::object()).timeout = std::chrono::seconds(1);
  EXPECT_THAT(Form(), ElementsAre(-1, -1, -1, -1, -1, -1));
  EXPECT_THAT(std::next(instances_.begin())->batch_note, HasSubstr("another target"));
}

TEST_F(BatchesTest, ResultsMustBeToldApart) {
  Add({{"prompt", "same"}});
  Add({{"prompt", "same"}});
  EXPECT_THAT(Form(), ElementsAre(-1, -1));
  EXPECT_THAT(instances_.back().batch_note, HasSubstr("another instance has the same prompt"));
}

TEST_F(BatchesTest, NoMoreThanAskedFor) {
  for (int i = 0; i < 5; ++i) Add(json::object());
  EXPECT_THAT(Form(2), ElementsAre(0, 0, 1, 1, -1));
}

TEST_F(BatchesTest, WhatCannotBeKnownOrDoneIsSaid) {
  Add({{"seed", "${{ stages.a.outputs.seed }}"}});
  Add({{"prompt", "${{ stages.a.outputs.prompt }}"}});
  Add({{"prompt", "${{ stages.b.outputs.prompt }}"}});
  Add({{"model", "slow"}});
  EXPECT_THAT(Form(), ElementsAre(-1, 0, 0, -1));
  EXPECT_THAT(instances_.front().batch_note, HasSubstr("'seed' is known only during the run"));
  EXPECT_THAT(instances_.back().batch_note, HasSubstr("slow makes one at a time"));
}

}  // namespace
}  // namespace cosmos
