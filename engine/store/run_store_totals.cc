// What a RunStore counts, and what it forgets.
#include "store/rows-odb.h"
#include "store/run_store_impl.h"
#include "store/totals_rows-odb.h"

namespace cosmos {
namespace {

using store::AttemptTotalsRow;
using store::ForgottenTotalsRow;
using store::RunRow;
using store::RunTotalsRow;

template <typename Row>
std::vector<TotalsRecord> Totals(store::Database* database) {
  std::vector<TotalsRecord> records;
  database->Read([&](odb::database& rows) {
    for (const Row& row : rows.query<Row>()) {
      records.push_back(
          {row.uses, row.status, row.failure_kind, row.bound, row.count, static_cast<double>(row.milliseconds) / 1000});
    }
  });
  return records;
}

template <typename Row>
void AddForgotten(odb::database& database, const Row& more) {
  using query = odb::query<ForgottenTotalsRow>;
  ForgottenTotalsRow row;
  const bool known =
      database.query_one<ForgottenTotalsRow>(query::uses == more.uses && query::status == more.status &&
                                                 query::failure_kind == more.failure_kind && query::bound == more.bound,
                                             row);
  row.uses = more.uses;
  row.status = more.status;
  row.failure_kind = more.failure_kind;
  row.bound = more.bound;
  row.count += more.count;
  row.milliseconds += more.milliseconds;
  if (known) {
    database.update(row);
  } else {
    database.persist(row);
  }
}

// Of one run, as the totals count it.
template <typename Row>
void Forget(odb::database& database, const std::string& run_id) {
  using query = odb::query<Row>;
  auto totals = database.query<Row>("run_id = " + query::_val(run_id));
  totals.cache();  // as the database is changed meanwhile
  for (const Row& row : totals) AddForgotten(database, row);
}

}  // namespace

void RunStore::DeleteRun(const std::string& run_id) {
  impl_->database.Write([&](odb::database& database) {
    Forget<RunTotalsRow>(database, run_id);
    Forget<AttemptTotalsRow>(database, run_id);
    database.erase_query<RunRow>(odb::query<RunRow>::run_id == run_id);
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

std::vector<TotalsRecord> RunStore::RunTotals() { return Totals<RunTotalsRow>(&impl_->database); }

std::vector<TotalsRecord> RunStore::AttemptTotals() { return Totals<AttemptTotalsRow>(&impl_->database); }

std::vector<TotalsRecord> RunStore::ForgottenTotals() { return Totals<ForgottenTotalsRow>(&impl_->database); }

}  // namespace cosmos
