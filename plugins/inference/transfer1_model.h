#pragma once

#include "inference/model.h"

namespace cosmos::plugins {

// nvidia-cosmos/cosmos-transfer1: a video from a prompt and weighted controls.
class Transfer1Model final : public Model {
 public:
  const char* name() const override { return "cosmos-transfer1"; }
  const char* summary() const override;
  sdk::Json Parameters() const override;
  sdk::JobSpec Build(sdk::Task& task, const sdk::Json& parameters) const override;
  std::unique_ptr<LogReader> Reader(const sdk::Json& parameters, int clips) const override;
  sdk::BatchSpec BuildBatch(sdk::Task& task, const std::vector<sdk::BatchMember>& members) const override;
};

}  // namespace cosmos::plugins
