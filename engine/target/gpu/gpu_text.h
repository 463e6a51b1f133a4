#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

// Values as nvidia-smi prints them, which come from another machine: nothing here throws for what they say.

// Without white space around it.
std::string Trimmed(std::string_view text);
// Text for people: one line of valid UTF-8, at most `characters` long, without control characters.
std::string CleanGpuText(std::string_view text, std::size_t characters);
// The cells of a row. They are separated by a comma and a space, so that a decimal comma separates nothing.
std::vector<std::string> CellsOf(std::string_view row);
// A number from `least` to `most`, with a point or, in some locales, a comma; nullopt when it is none or out of range.
std::optional<double> NumberIn(const std::string& cell, double least, double most);
// Bytes of a number of MiB.
std::optional<std::int64_t> BytesOfMib(const std::string& cell);

// Why a GPU with this value does not work, such as "GPU requires reset"; empty: the value is good, or only not known
// ("[N/A]", "[Not Supported]", "[Insufficient Permissions]"). Some drivers have "[Unknown Error]" for sensors of GPUs
// that work, which counts only where `essential`.
std::string FaultIn(const std::string& cell, bool essential);
// A GPU's UUID, or "" when the cell holds something else.
std::string UuidIn(const std::string& cell);
// The PCI address in a text, such as "0000:4F:00.0"; empty: there is none.
std::string BusIdIn(std::string_view text);
// Whether two PCI addresses are the same, of which one may have a longer domain.
bool AreSameBusId(const std::string& a, const std::string& b);

}  // namespace cosmos
