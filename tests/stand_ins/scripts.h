#pragma once

#include <string>
#include <vector>

namespace cosmos::stand_ins {

// The scripts; each ends like its model's. `words` are its arguments, `gpus` the processes that were started for it.

// cosmos_transfer1/diffusion/inference/transfer.py of cosmos-transfer1.
int Transfer1(const std::vector<std::string>& words, int gpus);
// examples/inference.py of cosmos-transfer2.5, and of cosmos-predict2.5 (`predict`).
int Cosmos25(const std::vector<std::string>& words, int gpus, bool predict);

}  // namespace cosmos::stand_ins
