#pragma once

#include <string>
#include <vector>

namespace cosmos {

// The way from a document's root to a value: keys, and indices as decimal texts.
using SchemaPath = std::vector<std::string>;

// How messages call the value at `path` of a workflow: `stage 'render'`, `'retry.attempts' of stage 'render'`, `target
// 'gpu1'`, `'name'`; `root` for an empty path.
std::string NameOf(const SchemaPath& path, const std::string& root = "the workflow");

}  // namespace cosmos
