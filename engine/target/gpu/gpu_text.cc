#include "target/gpu/gpu_text.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>

#include "core/text.h"

namespace cosmos {
namespace {

constexpr double kMiB = 1048576;
constexpr double kMostMib = 1e9;

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool AreHex(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

}  // namespace

std::string Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

std::string CleanGpuText(std::string_view text, std::size_t characters) {
  std::string clean;
  const std::string valid = TruncateUtf8(text, text.size());
  for (std::size_t i = 0; i < valid.size(); ++i) {
    const auto byte = static_cast<unsigned char>(valid[i]);
    if (byte < 0x20 || byte == 0x7F) continue;
    if (byte == 0xC2 && i + 1 < valid.size() && static_cast<unsigned char>(valid[i + 1]) < 0xA0) {  // U+0080 to U+009F
      ++i;
      continue;
    }
    clean += valid[i];
  }
  return Trimmed(TruncateUtf8(clean, characters));
}

std::vector<std::string> CellsOf(std::string_view row) {
  const std::string_view separator = row.find(", ") == row.npos ? "," : ", ";
  std::vector<std::string> cells;
  for (std::size_t at = 0; at <= row.size();) {
    const std::size_t end = std::min(row.find(separator, at), row.size());
    cells.push_back(Trimmed(row.substr(at, end - at)));
    at = end + separator.size();
  }
  return cells;
}

std::optional<double> NumberIn(const std::string& cell, double least, double most) {
  std::string text = cell;
  std::replace(text.begin(), text.end(), ',', '.');
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || *end != '\0' || !std::isfinite(number)) return std::nullopt;
  return number >= least && number <= most ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> BytesOfMib(const std::string& cell) {
  const auto number = NumberIn(cell, 0, kMostMib);
  return number ? std::optional(static_cast<std::int64_t>(*number * kMiB)) : std::nullopt;
}

std::string FaultIn(const std::string& cell, bool essential) {
  std::string word = cell;
  if (word.size() > 2 && word.front() == '[' && word.back() == ']') word = Trimmed(word.substr(1, word.size() - 2));
  const std::string lower = Lower(word);
  const auto says = [&](const char* part) { return lower.find(part) != lower.npos; };
  if (says("reset") || says("lost") || says("fallen") || says("reboot")) return word;
  const bool unknown = IsOneOf(lower, {"unknown error", "err!", "error"});
  return unknown && essential ? word : "";
}

std::string UuidIn(const std::string& cell) {
  if (cell.rfind("GPU-", 0) != 0 && cell.rfind("MIG-", 0) != 0) return "";
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '/'; };
  return cell.size() > 4 && cell.size() <= 100 && std::all_of(cell.begin(), cell.end(), fits) ? cell : "";
}

std::string BusIdIn(std::string_view text) {
  // DOMAIN:BUS:DEVICE.FUNCTION, perhaps with "GPU" right before it.
  for (std::size_t dot = text.find('.'); dot != text.npos; dot = text.find('.', dot + 1)) {
    if (dot < 8 || dot + 1 >= text.size() || text[dot - 3] != ':' || text[dot - 6] != ':') continue;
    if (!AreHex(text.substr(dot - 2, 2)) || !AreHex(text.substr(dot - 5, 2)) || !AreHex(text.substr(dot + 1, 1))) {
      continue;
    }
    std::size_t begin = dot - 6;
    while (begin > 0 && std::isxdigit(static_cast<unsigned char>(text[begin - 1])) != 0) --begin;
    if (begin < dot - 6) return std::string(text.substr(begin, dot + 2 - begin));
  }
  return "";
}

bool AreSameBusId(const std::string& a, const std::string& b) {
  const auto plain = [](const std::string& id) {
    const std::size_t first = id.find_first_not_of('0');
    return first == id.npos ? std::string() : Lower(id.substr(first));
  };
  return !a.empty() && plain(a) == plain(b);
}

}  // namespace cosmos
