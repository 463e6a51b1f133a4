#include <stdexcept>
#include <string>

#include "inference/command_model.h"
#include "inference/model.h"
#include "inference/playblast.h"
#include "inference/predict25_model.h"
#include "inference/transfer1_model.h"
#include "inference/transfer25_model.h"

namespace cosmos::plugins {

sdk::BatchSpec Model::BuildBatch(sdk::Task&, const std::vector<sdk::BatchMember>&) const {
  throw std::logic_error(std::string(name()) + " makes no batches");
}

std::vector<const Model*> Models() {
  static const Playblast playblast;
  static const Transfer1Model transfer1;
  static const Transfer25Model transfer25;
  static const Predict25Model predict25;
  static const CommandModel command;
  return {&playblast, &transfer1, &transfer25, &predict25, &command};
}

}  // namespace cosmos::plugins
