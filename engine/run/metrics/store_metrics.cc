#include "run/metrics/store_metrics.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/status.h"
#include "store/totals.h"

namespace cosmos {
namespace {

using Type = MetricsText::Type;

struct Durations {
  std::vector<std::int64_t> counts = std::vector<std::int64_t>(kDurationBoundCount + 1);
  double sum = 0;
};

bool IsOfRuns(const TotalsRecord& totals) { return totals.uses.empty(); }

void AddRuns(const std::vector<TotalsRecord>& totals, const std::vector<TotalsRecord>& forgotten, MetricsText* text) {
  std::int64_t all = 0;
  for (const TotalsRecord& one : forgotten) all += IsOfRuns(one) ? one.count : 0;
  std::map<std::string, std::int64_t> by_status, by_kind;
  for (const Status status : {Status::kRunning, Status::kSucceeded, Status::kFailed, Status::kCancelled}) {
    by_status[std::string(ToString(status))] = 0;
  }
  for (const TotalsRecord& one : totals) {
    all += one.count;
    by_status[one.status] += one.count;
    if (one.status == ToString(Status::kFailed)) by_kind[one.failure_kind] += one.count;
  }
  text->Begin("cosmos_runs_started_total", Type::kCounter, "Runs that were started.");
  text->Add({}, static_cast<double>(all));
  text->Begin("cosmos_runs", Type::kGauge, "Runs by how they stand now; interrupted ones count as running.");
  for (const auto& [status, count] : by_status) text->Add({{"status", status}}, static_cast<double>(count));
  text->Begin("cosmos_runs_failed", Type::kGauge, "Runs that stand as failed now, by the failure's kind.");
  for (const auto& [kind, count] : by_kind) text->Add({{"kind", kind}}, static_cast<double>(count));
}

void AddAttempts(const std::vector<TotalsRecord>& totals, MetricsText* text) {
  std::map<std::pair<std::string, std::string>, std::int64_t> ends, failures;
  std::map<std::string, Durations> durations;
  for (const TotalsRecord& one : totals) {
    // One that was skipped may run yet, under the same record.
    if (IsOfRuns(one) || one.bound < 0 || !IsEnd(StatusOf(one.status)) || one.status == ToString(Status::kSkipped))
      continue;
    ends[{one.uses, one.status}] += one.count;
    if (one.status == ToString(Status::kFailed)) failures[{one.uses, one.failure_kind}] += one.count;
    durations[one.uses].counts[static_cast<std::size_t>(one.bound)] += one.count;
    durations[one.uses].sum += one.seconds;
  }
  text->Begin("cosmos_stage_attempts_total", Type::kCounter, "Attempts of stages that have ended, by how.");
  for (const auto& [key, count] : ends) {
    text->Add({{"uses", key.first}, {"status", key.second}}, static_cast<double>(count));
  }
  text->Begin("cosmos_stage_failures_total", Type::kCounter, "Attempts of stages that failed, by the failure's kind.");
  for (const auto& [key, count] : failures) {
    text->Add({{"uses", key.first}, {"kind", key.second}}, static_cast<double>(count));
  }
  text->Begin("cosmos_stage_duration_seconds", Type::kHistogram, "How long attempts of stages took.");
  for (const auto& [uses, taken] : durations) {
    text->AddHistogram({{"uses", uses}}, kDurationBounds, taken.counts, taken.sum);
  }
}

}  // namespace

void AddStoreMetrics(RunStore* store, MetricsText* text) {
  std::vector<TotalsRecord> runs, attempts, forgotten;
  // At one moment: else what is forgotten meanwhile would count twice, or not at all.
  store->InTransaction([&] {
    runs = store->RunTotals();
    attempts = store->AttemptTotals();
    forgotten = store->ForgottenTotals();
  });
  AddRuns(runs, forgotten, text);
  attempts.insert(attempts.end(), forgotten.begin(), forgotten.end());
  AddAttempts(attempts, text);
}

}  // namespace cosmos
