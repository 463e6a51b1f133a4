#include "common/model_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/transfer1.h"
#include "testing/fake_host.h"

namespace cosmos::plugins {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

class ModelProgressTest : public ::testing::Test {
 protected:
  explicit ModelProgressTest(ProgressRules rules = Transfer1Progress()) : progress_(std::move(rules)) {}

  // Reads the lines one by one; each report must not fall behind the one before.
  void Read(std::initializer_list<const char*> lines) {
    for (const char* line : lines) {
      progress_.Read(task_, line);
      progress_.Read(task_, "\n");
      for (; checked_ < host_.progress.size(); ++checked_) {
        EXPECT_GE(host_.progress[checked_].done, last_) << line;
        last_ = host_.progress[checked_].done;
      }
    }
  }
  std::string Phase() const { return host_.progress.empty() ? "" : host_.progress.back().phase; }
  double Done() const { return host_.progress.empty() ? 0 : host_.progress.back().done; }

  sdk::testing::FakeHost host_;
  sdk::Services services_ = sdk::Services::From(*host_.host(), {});
  sdk::Task task_{services_, reinterpret_cast<cosmos_task*>(&host_), "{}"};
  ModelProgress progress_;
  std::size_t checked_ = 0;
  double last_ = 0;
};

// The log of cosmos-transfer1, in the order in which its source prints it, for two clips.
TEST_F(ModelProgressTest, FollowsTransfer1FromStartToEnd) {
  Read({"[03-19 22:06:02|INFO|transfer.py:1:demo] running preprocessor"});
  EXPECT_EQ(Phase(), "preprocessing");
  Read({"[x|INFO|p.py:1:f] Running guardrail checks on all prompts"});
  EXPECT_EQ(Phase(), "checking the prompt");
  Read({"[x|INFO|p.py:1:f] Starting T5 compute", "[x|INFO|p.py:1:f] Completed T5 compute",
        "[x|INFO|p.py:1:f] Run generation"});
  EXPECT_EQ(Phase(), "loading the model");
  Read({"Loading checkpoint shards:  50%|#####     | 1/2 [00:03<00:03,  3.20s/it]"});
  EXPECT_EQ(Phase(), "loading the model");
  Read({"[x|INFO|p.py:1:f] Starting data augmentation", "[x|INFO|p.py:1:f] Completed data augmentation",
        "  0%|          | 0/2 [00:00<?, ?it/s]", "[x|INFO|p.py:1:f] Starting latent encoding"});
  EXPECT_EQ(Phase(), "encoding the controls, clip 1/2");
  Read({"[x|INFO|p.py:1:f] Completed latent encoding", "[x|INFO|p.py:1:f] Starting diffusion sampling"});
  EXPECT_EQ(Phase(), "sampling, clip 1/2");
  Read({"[x|INFO|p.py:1:f] Completed diffusion sampling", "[x|INFO|p.py:1:f] Starting VAE decode"});
  EXPECT_EQ(Phase(), "decoding, clip 1/2");
  const double before = Done();
  Read({"[x|INFO|p.py:1:f] Completed VAE decode", " 50%|#####     | 1/2 [05:00<05:00, 300.00s/it]"});
  EXPECT_THAT(Done(), AllOf(Ge(before), Ge(50), Le(60)));
  Read({"[x|INFO|p.py:1:f] Starting latent encoding"});
  EXPECT_EQ(Phase(), "encoding the controls, clip 2/2");
  Read({"100%|##########| 2/2 [10:00<00:00, 300.00s/it]", "[x|INFO|p.py:1:f] Finish generation",
        "[x|INFO|p.py:1:f] Run guardrail on generated videos"});
  EXPECT_EQ(Phase(), "checking the video");
  Read({"[x|INFO|transfer.py:1:demo] Saved video to out/output.mp4"});
  EXPECT_EQ(Done(), 100);
  EXPECT_EQ(Phase(), "saved");
}

TEST_F(ModelProgressTest, PassesOverTheRest) {
  Read({"Traceback (most recent call last):", "", "  File \"transfer.py\", line 1, in <module>"});
  EXPECT_TRUE(host_.progress.empty());
}

TEST_F(ModelProgressTest, OneReportAPieceHoweverManyLinesItHas) {
  progress_.Read(task_, "running preprocessor\nRunning guardrail checks on all prompts\r");
  progress_.Read(task_, "Starting T5 com");
  EXPECT_EQ(host_.progress.size(), 1u);
  EXPECT_EQ(Phase(), "checking the prompt");
  progress_.Read(task_, "pute\n");
  EXPECT_EQ(Phase(), "encoding the prompt");
}

class LoopsTest : public ModelProgressTest {
 protected:
  static ProgressRules Rules() {
    ProgressRules rules;
    rules.phases = {{"begin", "loading", 0, 0.2}, {"go", "rendering", 0.2, 1}};
    rules.rounds_phase = "rendering";
    rules.counters = {{"sample", "[", "] Processing sample"}, {"chunk", "Generating chunk ", ""}};
    rules.bar_name = "step";
    rules.bar_label = "Generating samples";
    return rules;
  }
  LoopsTest() : ModelProgressTest(Rules()) {}
};

// As the 2.5 models print them: samples, their chunks, and the steps of each.
TEST_F(LoopsTest, LoopsStandInEachOther) {
  Read({"begin", "[INFO] [1/2] Processing sample a", "go", "Generating chunk 1/2"});
  EXPECT_NEAR(Done(), 20, 0.01);
  Read({"Generating samples:  50%|#####     | 5/10 [00:01<00:01, 1.0it/s]"});
  EXPECT_NEAR(Done(), 30, 0.01);
  EXPECT_EQ(Phase(), "rendering, sample 1/2, chunk 1/2, step 6/10");
  Read({"Generating samples: 100%|##########| 10/10 [00:02<00:00, 1.0it/s]"});
  EXPECT_NEAR(Done(), 40, 0.01);
  Read({"Generating chunk 2/2", "Generating samples: 100%|##########| 10/10 [00:02<00:00, 1.0it/s]"});
  EXPECT_NEAR(Done(), 60, 0.01);
  Read({"[INFO] [2/2] Processing sample b"});
  EXPECT_NEAR(Done(), 60, 0.01);
  Read({"begin"});  // of the second sample: nothing falls
  EXPECT_NEAR(Done(), 60, 0.01);
}

class ClipsTest : public ModelProgressTest {
 protected:
  ClipsTest() : ModelProgressTest(Transfer1Progress(4)) {}
};

// Each clip of a batch goes through all the phases: the end of the first is a quarter of the whole.
TEST_F(ClipsTest, ClipsComeOneAfterTheOther) {
  Read({"running preprocessor", "Completed data augmentation", "100%|##########| 1/1 [00:02<00:00, 1.0it/s]",
        "Saved video to a"});
  EXPECT_NEAR(Done(), 25, 0.01);
  EXPECT_EQ(Phase(), "saved, 1/4");
  Read({"running preprocessor", "Completed data augmentation"});
  EXPECT_GT(Done(), 25);
  EXPECT_LT(Done(), 35);
  EXPECT_EQ(Phase(), "rendering, 2/4");
  Read({"running preprocessor", "Saved video to c", "running preprocessor", "Saved video to d"});  // b was blocked
  EXPECT_NEAR(Done(), 100, 0.01);
}

}  // namespace
}  // namespace cosmos::plugins
