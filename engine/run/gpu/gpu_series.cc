#include "run/gpu/gpu_series.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/error.h"
#include "core/files.h"
#include "core/json_values.h"
#include "core/text.h"
#include "store/attempt.h"

namespace cosmos {
namespace {

using nlohmann::json;

// The columns of a sample, in their order.
constexpr const char* kColumns[] = {"utilization", "memory_used", "temperature", "power", "sm_clock"};

json Head(const std::vector<GpuFacts>& gpus) {
  json list = json::array();
  for (const GpuFacts& gpu : gpus) {
    const json all = ToJson(gpu);
    list.push_back(
        {{"index", gpu.index}, {"uuid", all["uuid"]}, {"name", all["name"]}, {"memory_total", all["memory_total"]}});
  }
  return {{"v", 1}, {"gpus", list}, {"columns", kColumns}};
}

GpuSeriesSample SampleOf(const json& line, const std::map<std::string, json>& gpus, const json& columns) {
  GpuSeriesSample sample;
  sample.time = line.at("t");
  for (const auto& [index, gpu] : gpus) {
    if (!line.contains(index)) continue;
    json facts = gpu;
    for (std::size_t i = 0; i < columns.size(); ++i) facts[columns[i].get<std::string>()] = line[index].at(i);
    sample.gpus.push_back(GpuFactsFromJson(facts));
  }
  std::sort(sample.gpus.begin(), sample.gpus.end(),
            [](const GpuFacts& a, const GpuFacts& b) { return a.index < b.index; });
  return sample;
}

}  // namespace

void GpuSeries::Append(const GpuSeriesSample& sample) {
  std::vector<std::string> uuids;
  json line = {{"t", sample.time}};
  for (const GpuFacts& gpu : sample.gpus) {
    uuids.push_back(gpu.uuid);
    const json all = ToJson(gpu);
    json& values = line[std::to_string(gpu.index)] = json::array();
    for (const char* column : kColumns) values.push_back(all[column]);
  }
  const auto text = [](const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; };
  std::string lines = uuids == told_ ? "" : text(Head(sample.gpus));
  if (told_.empty()) MakePrivateFolder(file_.parent_path());
  AppendToFile(file_, lines + text(line));
  told_ = uuids;
}

std::vector<GpuSeriesSample> GpuSeries::Load(const std::filesystem::path& file) {
  std::vector<GpuSeriesSample> samples;
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return samples;
  std::map<std::string, json> gpus;
  json columns;
  for (const std::string& text : SplitLines(ReadOwnFile(file))) {
    const json line = TryParseJson(text, kOwnJson);
    try {
      if (!line.is_object()) continue;
      if (line.contains("gpus")) {
        gpus.clear();
        columns = line.at("columns");
        for (const json& gpu : line["gpus"]) gpus[std::to_string(gpu.at("index").get<int>())] = gpu;
      } else {
        samples.push_back(SampleOf(line, gpus, columns));
      }
    } catch (const json::exception&) {  // of another making
    }
  }
  return samples;
}

void GpuUsageSum::Add(const GpuSeriesSample& sample) {
  for (const GpuFacts& gpu : sample.gpus) {
    Sum& sum = sums_[gpu.index];
    GpuUsageRecord& record = sum.record;
    record.gpu = gpu.index;
    record.uuid = gpu.uuid;
    record.name = gpu.name;
    ++record.samples;
    record.memory_total = gpu.memory_total.value_or(record.memory_total);
    record.peak_memory = std::max(record.peak_memory, gpu.memory_used.value_or(-1));
    record.peak_utilization = std::max(record.peak_utilization, gpu.utilization.value_or(-1));
    const std::int64_t gap = sum.last_time ? sample.time - *sum.last_time : -1;
    if (gap >= 0 && gap <= kLongestSampleGap) {
      const double seconds = static_cast<double>(gap) / 1000;
      record.seconds += seconds;
      if (gpu.utilization && sum.last_utilization) {
        sum.utilization_area += seconds * (*gpu.utilization + *sum.last_utilization) / 2;
        sum.utilization_seconds += seconds;
      }
      if (gpu.power && sum.last_power) {
        record.energy = std::max(record.energy, 0.0) + seconds * (*gpu.power + *sum.last_power) / 2;
      }
    }
    sum.last_time = sample.time;
    sum.last_utilization = gpu.utilization;
    sum.last_power = gpu.power;
    if (sum.utilization_seconds > 0) {
      record.mean_utilization = sum.utilization_area / sum.utilization_seconds;
    } else if (record.mean_utilization < 0) {
      record.mean_utilization = gpu.utilization.value_or(-1);
    }
  }
}

std::vector<GpuUsageRecord> GpuUsageSum::Records(const RunContext& attempt) const {
  std::vector<GpuUsageRecord> records;
  for (const auto& [index, sum] : sums_) {
    GpuUsageRecord record = sum.record;
    SetAttempt(attempt, &record);
    records.push_back(record);
  }
  return records;
}

std::int64_t GpuUsageSum::PeakMemory() const {
  std::int64_t peak = 0;
  for (const auto& [index, sum] : sums_) peak = std::max(peak, sum.record.peak_memory);
  return peak;
}

}  // namespace cosmos
