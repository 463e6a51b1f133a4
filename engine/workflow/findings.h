#pragma once

#include <string>
#include <vector>

#include "workflow/place.h"

namespace cosmos {

// One thing that is wrong in a file: what was found and what was expected, and in `hint` how to mend it (may be empty).
// A value. line and column count from 1 (columns in bytes); 0: the finding concerns no place in a file.
struct Finding {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;
  std::string hint;

  friend bool operator==(const Finding&, const Finding&) = default;
};

using Findings = std::vector<Finding>;

// `file:line:column: message; hint`.
std::string ToText(const Finding& finding);

// Collects what is found in one file. Not thread-safe.
class FindingList {
 public:
  explicit FindingList(std::string file) : file_(std::move(file)) {}

  // Of a long message or hint both ends are kept. When the list is full, a last finding says so.
  void Add(Place place, std::string message, std::string hint = "");
  // Whether further findings are dropped: who has to search for their place need not.
  bool full() const;
  bool empty() const { return findings_.empty(); }
  std::size_t size() const { return findings_.size(); }
  const std::string& file() const { return file_; }
  // In the order of the file, each only once.
  Findings Sorted() const;

 private:
  std::string file_;
  Findings findings_;
};

}  // namespace cosmos
