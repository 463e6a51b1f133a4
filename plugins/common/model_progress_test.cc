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
  explicit ModelProgressTest(ProgressRules rules = Transfer1Progress())
      : progress_(std::move(rules), {{"model", "m"}}, [this] { return now_; }) {}

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
  double Left() const { return host_.progress.empty() ? -1 : host_.progress.back().eta; }

  sdk::testing::FakeHost host_;
  sdk::Services services_ = sdk::Services::From(*host_.host(), {});
  sdk::Task task_{services_, reinterpret_cast<cosmos_task*>(&host_), "{}"};
  ModelProgress::Time now_{std::chrono::hours(1)};
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

// A job that loads for 100 s, renders ten steps of 30 s and saves for 50 s, times `slow`.
class HistoryTest : public LoopsTest {
 protected:
  static constexpr const char* kKey = R"({"model":"m"})";
  static constexpr const char* kLaterKey = R"({"later_clip":true,"model":"m"})";

  static ProgressRules Rules(int clips) {
    ProgressRules rules = LoopsTest::Rules();
    rules.phases = {{"begin", "loading", 0, 0.2},
                    {"go", "rendering", 0.2, 0.9},
                    {"check", "checking", 0.9, 1},
                    {"saved", "saved", 1, 1}};
    rules.counters.clear();
    rules.clip_marker = "next clip";
    rules.clips = clips;
    return rules;
  }

  struct Told {
    double done;
    double left;
  };
  // Reads the log of a job as it is written; what was told at each step.
  std::vector<Told> Job(ModelProgress& progress, double slow = 1, int clips = 1, int steps = 10) {
    host_.progress.clear();
    const auto say = [&](const std::string& line, int seconds_before) {
      now_ += std::chrono::milliseconds(static_cast<long>(1000 * slow * seconds_before));
      progress.Read(task_, line + "\n");
    };
    say("hello", 0);
    say("begin", 0);
    for (int clip = 1; clip <= clips; ++clip) {
      if (clips > 1) say("next clip", clip == 1 ? 100 : 0);
      say("go", clips > 1 ? 0 : 100);
      for (int step = 0; step <= steps; ++step) {
        say("Generating samples:  1%|#####     | " + std::to_string(step) + "/" + std::to_string(steps) +
                " [00:01<00:01, 1.0it/s]",
            step == 0 ? 0 : 30);
      }
      say("check", 0);
      say("saved", 50);
    }
    std::vector<Told> told;
    for (const auto& report : host_.progress) {
      EXPECT_TRUE(report.has_eta);
      told.push_back({report.done, report.eta});
    }
    for (std::size_t i = 1; i < told.size(); ++i) EXPECT_GE(told[i].done, told[i - 1].done) << i;
    EXPECT_EQ(told.back().done, 100);
    EXPECT_EQ(told.back().left, 0);
    return told;
  }
  ModelProgress Reader(int clips = 1) {
    return ModelProgress(Rules(clips), {{"model", "m"}}, [this] { return now_; });
  }
};

TEST_F(HistoryTest, WithoutAnyWhatIsLeftFollowsFromWhatIsDone) {
  ModelProgress reader = Reader();
  const std::vector<Told> told = Job(reader);
  EXPECT_EQ(told[0].left, -1);  // nothing is known yet
  // 100 s, and a fifth is done by the rules.
  EXPECT_NEAR(told[1].done, 20, 0.01);
  EXPECT_NEAR(told[1].left, 400, 0.1);
  EXPECT_TRUE(host_.history[kKey].empty()) << "kept before the job had ended";
  reader.Succeed(task_);
  ASSERT_EQ(host_.history[kKey].size(), 1u);
  EXPECT_EQ(host_.history[kKey][0],
            (sdk::Json{{"phases", {{"starting", 0.0}, {"loading", 100.0}, {"rendering", 300.0}, {"checking", 50.0}}},
                       {"rounds", 10.0}}));
}

TEST_F(HistoryTest, PhasesCountByHowLongTheyTook) {
  ModelProgress first = Reader();
  Job(first);
  first.Succeed(task_);
  ModelProgress second = Reader();
  const std::vector<Told> told = Job(second);
  EXPECT_NEAR(told[0].left, 450, 0.1);  // from the first line
  EXPECT_NEAR(told[1].done, 100.0 * 100 / 450, 0.01);
  EXPECT_NEAR(told[1].left, 350, 0.1);
  EXPECT_NEAR(told[7].left, 200, 0.1);  // five steps later
}

TEST_F(HistoryTest, AJobThatIsSlowerThanEarlierOnesIsExpectedToStaySo) {
  ModelProgress first = Reader();
  Job(first);
  first.Succeed(task_);
  ModelProgress second = Reader();
  const std::vector<Told> told = Job(second, 2);
  EXPECT_NEAR(told[0].left, 450, 0.1);
  EXPECT_GT(told[1].left, 450);        // 700 are
  EXPECT_NEAR(told[7].left, 400, 20);  // and the longer it takes, the closer it comes
  EXPECT_NEAR(told[11].left, 160, 10);
}

TEST_F(HistoryTest, ALongerVideoHasMoreRounds) {
  ModelProgress first = Reader();
  Job(first);
  first.Succeed(task_);
  ModelProgress second = Reader();
  const std::vector<Told> told = Job(second, 1, 1, 20);
  EXPECT_NEAR(told[2].left, 650, 0.1);
}

TEST_F(HistoryTest, EachClipOfABatchIsKeptByItself) {
  ModelProgress first = Reader(3);
  Job(first, 1, 3);
  ASSERT_EQ(host_.history[kKey].size(), 1u);
  ASSERT_EQ(host_.history[kLaterKey].size(), 2u);
  EXPECT_EQ(host_.history[kKey][0]["phases"]["loading"], 100);
  EXPECT_FALSE(host_.history[kLaterKey][0]["phases"].contains("loading"));
  EXPECT_EQ(host_.history[kLaterKey][0]["phases"]["rendering"], 300);
  ModelProgress second = Reader(3);
  const std::vector<Told> told = Job(second, 1, 3);
  EXPECT_NEAR(told[0].left, 450 + 350 + 350, 0.1);
}

TEST_F(HistoryTest, AResumedJobIsNotMeasuredByTheClock) {
  ModelProgress first = Reader();
  Job(first);
  first.Succeed(task_);
  sdk::Context context;
  context.resumed = true;
  ModelProgress second = Reader();
  second.Begin(context);
  second.Read(task_, "begin\ngo\n");  // all at once
  EXPECT_NEAR(Left(), 350, 0.1);
  host_.history.clear();
  ModelProgress third = Reader();
  third.Begin(context);
  third.Read(task_, "begin\ngo\n");
  EXPECT_EQ(Left(), -1);
}

TEST_F(HistoryTest, AJobThatFailsIsNotKept) {
  ModelProgress reader = Reader();
  reader.Read(task_, "begin\ngo\n");
  reader.Succeed(task_);  // without what it should have made: its log does not tell the end
  EXPECT_TRUE(host_.history[kKey].empty());
}

TEST_F(HistoryTest, StepsAgainstWantOfMemoryAreAnotherKindOfJob) {
  sdk::Context context;
  context.oom_steps = {"offload"};
  ModelProgress reader = Reader();
  reader.Begin(context);
  Job(reader);
  reader.Succeed(task_);
  EXPECT_EQ(host_.history[R"({"model":"m","oom_steps":["offload"]})"].size(), 1u);
}

}  // namespace
}  // namespace cosmos::plugins
