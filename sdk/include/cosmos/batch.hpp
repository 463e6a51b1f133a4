// SPDX-License-Identifier: BSL-1.0
#ifndef COSMOS_BATCH_HPP_
#define COSMOS_BATCH_HPP_

#include <cosmos/stage.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos::sdk {

// One of the instances that a batch carries out. Its context's `instance` is a safe file name, and no other's.
struct BatchMember {
  const Context& context;
  const Json& parameters;
};

// What becomes of one member of a batch. It has succeeded when its outputs are there and as they must be, whatever
// became of the others and of the job.
struct BatchMemberSpec {
  std::string folder;                        // below the job's output folder; in it are the paths of the outputs
  std::map<std::string, JobOutput> outputs;  // by name
  // The member's part of the log begins with the first line that holds this text (of members with the same text the
  // second one's with the second such line, and so on), and goes on to where another member's begins. What stands
  // before the first of them is everybody's. Empty: it has no part of its own.
  std::string log_marker;
};

// One job that carries out several instances of a stage; its own `outputs` stay empty.
struct BatchSpec {
  JobSpec job;
  std::vector<BatchMemberSpec> members;  // in the order of the members

  Json ToJson() const {
    Json json = {{"job", job.ToJson()}, {"members", Json::array()}};
    for (const BatchMemberSpec& member : members) {
      JobSpec outputs;
      outputs.outputs = member.outputs;
      json["members"].push_back(
          {{"folder", member.folder}, {"outputs", outputs.ToJson().at("outputs")}, {"log_marker", member.log_marker}});
    }
    return json;
  }
};

// A stage whose instances can share one job, such as a model that is loaded once for many videos. Which ones may is
// said by "x-batch" in the schema of its parameters: {"vary": [names in which the instances of one job may differ, with
// dots for what is below, `*` for any name], "distinct": [names in which they must], "unless": [what may not be given,
// or be true]}.
class BatchStage : public JobStage {
 public:
  // The job for two or more members, made from their parameters and from what `task` gives for inputs and output
  // folder, and from nothing else: when the run is resumed it is asked for again, with the same members.
  // `task`'s context is the first member's.
  virtual BatchSpec BuildBatch(Task& task, const std::vector<BatchMember>& members) = 0;

  // The log of the batch's job as it grows, as JobStage::OnOutput; progress is that of all members.
  virtual void OnBatchOutput(Task& task, std::string_view bytes) {
    static_cast<void>(task);
    static_cast<void>(bytes);
  }
};

}  // namespace cosmos::sdk

#endif  // COSMOS_BATCH_HPP_
