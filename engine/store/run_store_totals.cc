// What a RunStore counts, and what it forgets.
#include "store/rows-odb.h"
#include "store/run_store_impl.h"
#include "store/totals_rows-odb.h"

namespace cosmos {
namespace {

using store::ForgottenTotalsRow;
using store::RunRow;
using store::StageRow;

template <typename Row>
TotalsRecord ToRecord(const Row& row) {
  return {row.uses, row.status, row.failure_kind, row.bound, row.count, static_cast<double>(row.milliseconds) / 1000};
}

template <typename Row>
std::vector<TotalsRecord> Totals(odb::database& database) {
  std::vector<TotalsRecord> records;
  for (const Row& row : database.query<Row>()) records.push_back(ToRecord(row));
  return records;
}

// What the totals count one as that took from `begin` to `end`, as the views of totals_rows.h do it.
ForgottenTotalsRow Counted(const std::string& uses, const std::string& status,
                           const odb::nullable<std::string>& failure_kind, const odb::nullable<std::int64_t>& begin,
                           const odb::nullable<std::int64_t>& end) {
  ForgottenTotalsRow row;
  row.uses = uses;
  row.status = status;
  if (!failure_kind.null()) row.failure_kind = *failure_kind;
  row.count = 1;
  if (begin.null() || end.null()) return row;
  row.milliseconds = *end - *begin;
  row.bound = DurationBound(row.milliseconds);
  return row;
}

void AddForgotten(odb::database& database, const ForgottenTotalsRow& more) {
  using query = odb::query<ForgottenTotalsRow>;
  ForgottenTotalsRow row;
  if (!database.query_one<ForgottenTotalsRow>(query::uses == more.uses && query::status == more.status &&
                                                  query::failure_kind == more.failure_kind &&
                                                  query::bound == more.bound,
                                              row)) {
    row = more;
    database.persist(row);
    return;
  }
  row.count += more.count;
  row.milliseconds += more.milliseconds;
  database.update(row);
}

}  // namespace

void RunStore::DeleteRun(const std::string& run_id) {
  impl_->database.Write([&](odb::database& database) {
    RunRow run;
    if (!database.find(run_id, run)) return;
    std::vector<ForgottenTotalsRow> forgotten = {
        Counted("", run.status, run.failure_kind, run.started_at, run.ended_at)};
    for (const StageRow& stage : database.query<StageRow>(odb::query<StageRow>::run == run_id)) {
      forgotten.push_back(Counted(stage.uses, stage.status, stage.failure_kind, stage.started_at, stage.ended_at));
    }
    for (const ForgottenTotalsRow& row : forgotten) AddForgotten(database, row);
    database.erase<RunRow>(run_id);
  });
}

int RunStore::DeleteUnusedPrompts() {
  int deleted = 0;
  impl_->database.Write([&](odb::database& database) {
    deleted = static_cast<int>(database.execute(
        "WITH RECURSIVE needed(id) AS (SELECT prompt_id FROM runs WHERE prompt_id IS NOT NULL"
        " UNION SELECT prompt_id FROM stage_executions WHERE prompt_id IS NOT NULL"
        " UNION SELECT parent_id FROM prompts JOIN needed ON prompt_id = id WHERE parent_id IS NOT NULL"
        " UNION SELECT prompt_id FROM prompts JOIN needed ON parent_id = id)"
        " DELETE FROM prompts WHERE prompt_id NOT IN (SELECT id FROM needed)"));
  });
  return deleted;
}

std::vector<TotalsRecord> RunStore::RunTotals() {
  std::vector<TotalsRecord> records;
  impl_->database.Read([&](odb::database& database) { records = Totals<store::RunTotalsRow>(database); });
  return records;
}

std::vector<TotalsRecord> RunStore::AttemptTotals() {
  std::vector<TotalsRecord> records;
  impl_->database.Read([&](odb::database& database) { records = Totals<store::AttemptTotalsRow>(database); });
  return records;
}

std::vector<TotalsRecord> RunStore::ForgottenTotals() {
  std::vector<TotalsRecord> records;
  impl_->database.Read([&](odb::database& database) { records = Totals<ForgottenTotalsRow>(database); });
  return records;
}

}  // namespace cosmos
