#pragma once

#include <cstdint>
#include <odb/core.hxx>
#include <string>

// The totals of totals.h as queries: views, which are no part of the schema. Private to this folder; run through the
// `odb` compiler as rows.h is. Without a condition they are over all. The bounds are those of kDurationBounds, in
// milliseconds.
namespace cosmos {
namespace store {

#pragma db value(std::string) type("TEXT")

#pragma db view query(                                           \
    "SELECT '', status, COALESCE(failure_kind, ''),"             \
    " CASE WHEN ended_at IS NULL THEN -1"                        \
    " WHEN ended_at - started_at <= 1000 THEN 0"                 \
    " WHEN ended_at - started_at <= 10000 THEN 1"                \
    " WHEN ended_at - started_at <= 60000 THEN 2"                \
    " WHEN ended_at - started_at <= 300000 THEN 3"               \
    " WHEN ended_at - started_at <= 900000 THEN 4"               \
    " WHEN ended_at - started_at <= 1800000 THEN 5"              \
    " WHEN ended_at - started_at <= 3600000 THEN 6"              \
    " WHEN ended_at - started_at <= 7200000 THEN 7"              \
    " WHEN ended_at - started_at <= 14400000 THEN 8 ELSE 9 END," \
    " COUNT(*), COALESCE(SUM(ended_at - started_at), 0)"         \
    " FROM runs WHERE (?) GROUP BY 2, 3, 4 ORDER BY 2, 3, 4")
struct RunTotalsRow {
  std::string uses;
  std::string status;
  std::string failure_kind;
  int bound;
  std::int64_t count;
  std::int64_t milliseconds;
};

#pragma db view query(                                           \
    "SELECT uses, status, COALESCE(failure_kind, ''),"           \
    " CASE WHEN ended_at IS NULL OR started_at IS NULL THEN -1"  \
    " WHEN ended_at - started_at <= 1000 THEN 0"                 \
    " WHEN ended_at - started_at <= 10000 THEN 1"                \
    " WHEN ended_at - started_at <= 60000 THEN 2"                \
    " WHEN ended_at - started_at <= 300000 THEN 3"               \
    " WHEN ended_at - started_at <= 900000 THEN 4"               \
    " WHEN ended_at - started_at <= 1800000 THEN 5"              \
    " WHEN ended_at - started_at <= 3600000 THEN 6"              \
    " WHEN ended_at - started_at <= 7200000 THEN 7"              \
    " WHEN ended_at - started_at <= 14400000 THEN 8 ELSE 9 END," \
    " COUNT(*), COALESCE(SUM(ended_at - started_at), 0)"         \
    " FROM stage_executions WHERE (?) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4")
struct AttemptTotalsRow {
  std::string uses;
  std::string status;
  std::string failure_kind;
  int bound;
  std::int64_t count;
  std::int64_t milliseconds;
};

}  // namespace store
}  // namespace cosmos
