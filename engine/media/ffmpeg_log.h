#pragma once

#include <string>
#include <string_view>

namespace cosmos {

// What ffmpeg complained of first in its log, without the address of the part that says it (`[png @ 0x55…] `); "" when
// it did not. Lines of a progress report (`frame=12`) may stand between those of the log.
std::string FirstComplaint(std::string_view log);

}  // namespace cosmos
