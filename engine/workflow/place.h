#pragma once

namespace cosmos {

// A place in a text file; both count from 1, columns in bytes. 0: none.
struct Place {
  int line = 0;
  int column = 0;

  friend bool operator==(const Place&, const Place&) = default;
};

}  // namespace cosmos
