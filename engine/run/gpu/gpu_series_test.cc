#include "run/gpu/gpu_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace cosmos {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

GpuFacts Gpu(int index, std::optional<double> utilization, std::optional<double> power,
             std::optional<std::int64_t> memory) {
  GpuFacts gpu;
  gpu.index = index;
  gpu.uuid = "GPU-" + std::to_string(index);
  gpu.name = "NVIDIA H100";
  gpu.utilization = utilization;
  gpu.power = power;
  gpu.memory_used = memory;
  gpu.memory_total = 80'000'000'000;
  return gpu;
}

class GpuSeriesTest : public testing::Test {
 protected:
  GpuSeriesTest() {
    std::string name = (fs::temp_directory_path() / "cosmos-series-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) folder_ = name;
  }
  ~GpuSeriesTest() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(GpuSeriesTest, IsReadAsItWasWritten) {
  const fs::path file = folder_ / "gpus/render.1.jsonl";
  GpuSeries series(file);
  series.Append({1000, {Gpu(0, 0.5, 300, 10), Gpu(11, std::nullopt, std::nullopt, std::nullopt)}});
  series.Append({6000, {Gpu(0, 1, 700, 20), Gpu(11, 0.1, 70, 5)}});
  GpuSeries(file).Append({9000, {Gpu(2, 0.25, 60, 1)}});  // another engine went on, on another GPU
  const std::vector<GpuSeriesSample> samples = GpuSeries::Load(file);
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_EQ(samples[0].time, 1000);
  ASSERT_EQ(samples[0].gpus.size(), 2u);
  EXPECT_EQ(samples[0].gpus[0].utilization, 0.5);
  EXPECT_EQ(samples[0].gpus[1].index, 11);
  EXPECT_EQ(samples[0].gpus[1].power, std::nullopt);
  EXPECT_EQ(samples[1].gpus[0].memory_used, 20);
  EXPECT_EQ(samples[1].gpus[0].memory_total, 80'000'000'000);
  EXPECT_EQ(samples[2].gpus.at(0).uuid, "GPU-2");
}

TEST_F(GpuSeriesTest, WhatIsCutShortOrStrangeIsLeftOut) {
  const fs::path file = folder_ / "a.jsonl";
  EXPECT_THAT(GpuSeries::Load(file), IsEmpty());
  GpuSeries(file).Append({1000, {Gpu(0, 0.5, 300, 10)}});
  std::ofstream(file, std::ios::app)
      << "{\"t\":\"x\"}\n[]\n\xff\n{\"t\":2000,\"0\":[0.5]}\n{\"t\":3000,\"0\":[0.7,1,2,3,4]}\n{\"t\":40";
  const std::vector<GpuSeriesSample> samples = GpuSeries::Load(file);
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[1].gpus.at(0).utilization, 0.7);
}

TEST_F(GpuSeriesTest, SumsUpOverTheTime) {
  GpuUsageSum sum;
  sum.Add({0, {Gpu(0, 0.0, 100, 5), Gpu(1, 1.0, std::nullopt, std::nullopt)}});
  sum.Add({10'000, {Gpu(0, 1.0, 300, 70), Gpu(1, 1.0, std::nullopt, std::nullopt)}});
  sum.Add({40'000, {Gpu(0, 1.0, 300, 60), Gpu(1, 0.5, std::nullopt, std::nullopt)}});
  RunContext context;
  context.run_id = "rs_1";
  context.stage = "render";
  context.attempt = 2;
  const std::vector<GpuUsageRecord> records = sum.Records(context);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].stage, "render");
  EXPECT_EQ(records[0].attempt, 2);
  EXPECT_EQ(records[0].peak_memory, 70);
  EXPECT_EQ(records[0].peak_utilization, 1);
  EXPECT_DOUBLE_EQ(records[0].mean_utilization, 35.0 / 40);
  EXPECT_DOUBLE_EQ(records[0].energy, 200 * 10 + 300 * 30);
  EXPECT_EQ(records[0].seconds, 40);
  EXPECT_EQ(records[0].samples, 3);
  EXPECT_EQ(records[1].energy, -1);
  EXPECT_EQ(records[1].peak_memory, -1);
  EXPECT_DOUBLE_EQ(records[1].mean_utilization, (10.0 + 0.75 * 30) / 40);
  EXPECT_EQ(sum.PeakMemory(), 70);
}

TEST_F(GpuSeriesTest, WhatWasNotWatchedIsNotCounted) {
  GpuUsageSum sum;
  sum.Add({0, {Gpu(0, 1.0, 500, 1)}});
  EXPECT_EQ(sum.Records({}).at(0).mean_utilization, 1.0);  // all there is
  sum.Add({3'600'000, {Gpu(0, 0.0, 500, 1)}});             // the engine was away for an hour
  sum.Add({3'600'000 - 5000, {Gpu(0, 0.0, 500, 1)}});      // and the clock was set back
  sum.Add({3'605'000, {Gpu(0, 0.0, 500, 1)}});
  const GpuUsageRecord record = sum.Records({}).at(0);
  EXPECT_EQ(record.seconds, 10);
  EXPECT_EQ(record.energy, 5000);
  EXPECT_EQ(record.mean_utilization, 0.0);
  EXPECT_EQ(record.peak_utilization, 1.0);
}

}  // namespace
}  // namespace cosmos
