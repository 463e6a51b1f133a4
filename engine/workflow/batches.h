#pragma once

#include <string>
#include <vector>

#include "workflow/plan.h"
#include "workflow/plugin_facts.h"

namespace cosmos {

// Sees which instances of one stage can be carried out as one job, so that what they share is loaded once, and gives
// those the same StageInstance::batch, beginning with `*next`; the others get a batch_note that says why not. At most
// `most` instances are one job.
//
// A plugin says by `"x-batch"` of its schema, or of the branch that the parameters choose, in what the instances of one
// job may differ: {"vary": [path…], "distinct": [name…], "unless": [name…]}. A path names a parameter and what is below
// it, with dots, and `*` for any name; in those of `distinct` they have to differ, and with one of `unless` given and
// not false an instance has a job of its own. Without x-batch all have.
void FormBatches(const PluginFacts& facts, size_t most, std::vector<StageInstance*> instances, int* next);

}  // namespace cosmos
