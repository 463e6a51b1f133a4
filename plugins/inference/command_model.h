#pragma once

#include "inference/model.h"

namespace cosmos::plugins {

// Any program of the user's, with what the other models have: uploaded inputs, checked outputs, and progress.
class CommandModel final : public Model {
 public:
  const char* name() const override { return "command"; }
  const char* summary() const override;
  sdk::Json Parameters() const override;
  sdk::JobSpec Build(sdk::Task& task, const sdk::Json& parameters) const override;
  std::unique_ptr<LogReader> Reader(const sdk::Json& parameters, int clips) const override;
};

}  // namespace cosmos::plugins
