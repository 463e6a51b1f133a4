#pragma once

#include <string>

#include "store/database.h"
#include "store/run_store.h"

namespace cosmos {

// What a RunStore holds, for the files that implement it. Private to this folder.
class RunStore::Impl {
 public:
  explicit Impl(const std::string& path) : database(path) {}
  store::Database database;
};

}  // namespace cosmos
