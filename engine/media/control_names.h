#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

// What the models take besides a prompt, in the order in which it is shown: `color` is their input video, the others
// are controls.
const std::vector<std::string>& ControlNames();

// The controls that a path names, as renderers and people call them (`beauty`, `zdepth`, `canny`, `cryptomatte`, …): by
// the words of its file name or, when there are none among them, of the folder nearest to it. None: it is of no
// control; several: it cannot be said of which.
std::vector<std::string> ControlsNamedBy(std::string_view path);

}  // namespace cosmos
