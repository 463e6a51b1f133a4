#include "common/progress_bar.h"

#include <gtest/gtest.h>

namespace cosmos::plugins {
namespace {

// As tqdm prints them, without the '\r' between.
TEST(ProgressBar, ReadsWhatTqdmPrints) {
  const auto first = ParseProgressBar("  0%|          | 0/4 [00:00<?, ?it/s]");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->label, "");
  EXPECT_EQ(first->done, 0);
  EXPECT_EQ(first->total, 4);
  const auto labelled = ParseProgressBar("Generating samples: 100%|██████████| 35/35 [01:48<00:00,  3.11s/it]");
  ASSERT_TRUE(labelled);
  EXPECT_EQ(labelled->label, "Generating samples");
  EXPECT_EQ(labelled->done, 35);
  const auto half = ParseProgressBar("Loading checkpoint shards:  50%|█████     | 1/2 [00:03<00:03,  3.20s/it]");
  ASSERT_TRUE(half);
  EXPECT_EQ(half->label, "Loading checkpoint shards");
}

TEST(ProgressBar, PassesOverTheRest) {
  for (const char* line : {"", "100%", "50%| no bar", "model.pt:  12%|█▏        | 1.2G/9.8G [00:10<01:10, 120MB/s]",
                           "0it [00:00, ?it/s]", "3%|x| 5/4 [00:00<?, ?it/s]", "3%|x| 5/0 [00:00<?, ?it/s]"}) {
    EXPECT_FALSE(ParseProgressBar(line)) << line;
  }
}

}  // namespace
}  // namespace cosmos::plugins
