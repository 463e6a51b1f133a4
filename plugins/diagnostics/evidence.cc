#include "diagnostics/evidence.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cosmos/parse_json.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <sstream>

#include "diagnostics/redaction.h"

namespace cosmos::plugins {
namespace {

using sdk::Json;

constexpr double kTolerance = 60;   // seconds by which the clocks of two machines may differ, and things take time
constexpr double kNearlyFull = 95;  // percent
constexpr double kGpuFull = 90;
constexpr double kLeastMemory = 5;
constexpr std::size_t kMostOfAKind = 3;
constexpr std::size_t kLongestLine = 240;

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Between the line that begins with `title` and the next title.
std::vector<std::string> Section(const std::string& text, const std::string& title) {
  std::vector<std::string> section;
  bool inside = false;
  for (const std::string& line : LinesOf(text)) {
    if (line.rfind("# ", 0) == 0) {
      inside = line.rfind(title, 0) == 0;
    } else if (inside) {
      section.push_back(line);
    }
  }
  return section;
}

std::vector<std::string> Words(const std::string& line, const char* separators) {
  std::vector<std::string> words;
  for (std::size_t at = line.find_first_not_of(separators); at != line.npos;) {
    const std::size_t end = std::min(line.find_first_of(separators, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(separators, end);
  }
  return words;
}

bool Holds(const std::string& line, std::initializer_list<const char*> any) {
  return std::any_of(any.begin(), any.end(), [&](const char* words) { return line.find(words) != line.npos; });
}

std::string Quoted(std::string line) {
  if (line.size() > kLongestLine) line = AsText(line.substr(0, kLongestLine)) + "…";
  std::replace(line.begin(), line.end(), '`', '\'');
  return "`" + line + "`";
}

std::string Number(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", number < 10 && number != std::floor(number) ? 1 : 0, number);
  return text;
}

// Seconds since the epoch, of RFC 3339 in UTC.
std::optional<double> TimeOf(const std::string& text) {
  struct tm parts {};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return std::nullopt;
  return static_cast<double>(::timegm(&parts));
}

// How long ago the kernel wrote it, of `[  123.456789] …`; no time: not known.
std::optional<double> AgeOf(const std::string& line, double uptime) {
  const std::size_t bracket = line.find('[');
  if (bracket > 8 || uptime <= 0) return std::nullopt;
  char* end = nullptr;
  const double at = std::strtod(line.c_str() + bracket + 1, &end);
  if (end == line.c_str() + bracket + 1) return std::nullopt;
  return uptime - at;
}

class Evidence {
 public:
  Evidence(const RunFacts& run, double now) : run_(run), now_(now) {}

  void Look(const Item& item) {
    if (item.name == "kernel") LookAtKernel(item);
    if (item.name == "gpu") LookAtGpus(item);
    if (item.name == "system") LookAtSystem(item);
    if (item.name.rfind("container ", 0) == 0) LookAtContainer(item);
    if (item.name == "commands") LookAtCommands(item);
  }

  std::vector<std::string> Take() { return std::move(found_); }

 private:
  void Add(const char* kind, const std::string& sentence) {
    if (++counts_[kind] <= kMostOfAKind) found_.push_back(sentence);
  }

  void LookAtKernel(const Item& item) {
    double uptime = 0;
    const std::optional<double> begin = TimeOf(run_.started_at);
    for (const std::string& line : LinesOf(item.text)) {
      if (line.rfind("# up for ", 0) == 0) uptime = std::strtod(line.c_str() + 9, nullptr);
      const std::optional<double> age = AgeOf(line, uptime);
      if (!age || (begin && *age > now_ - *begin + kTolerance)) continue;  // it is older than the run
      if (Holds(line, {"NVRM", "Xid", "fallen off the bus"})) {
        Add("xid", "the GPU driver of '" + item.target + "' reported an error: " + Quoted(line));
      } else if (Holds(line, {"Out of memory", "Killed process", "oom-kill", "oom_reaper"})) {
        Add("oom", "the kernel of '" + item.target + "' killed a process for want of memory: " + Quoted(line));
      } else if (Holds(line, {"I/O error", "EXT4-fs error", "remounting", "XFS"})) {
        Add("disk", "a disk of '" + item.target + "' is in trouble: " + Quoted(line));
      }
    }
  }

  void LookAtGpus(const Item& item) {
    for (const std::string& line : LinesOf(item.text)) {
      if (Holds(line,
                {"Unable to determine the device handle", "NVIDIA-SMI has failed", "Failed to initialize NVML"})) {
        Add("gpu driver", "nvidia-smi on '" + item.target + "' says: " + Quoted(line));
      }
    }
    for (const std::string& line : Section(item.text, "# gpus")) {
      const std::vector<std::string> fields = Words(line, ",");
      if (fields.size() < 8) continue;
      // A name may hold commas, so that fields are counted from the end.
      const std::size_t n = fields.size();
      const double used = std::strtod(fields[n - 3].c_str(), nullptr);
      const double total = std::strtod(fields[n - 2].c_str(), nullptr);
      if (Holds(line, {"requires reset", "GPU is lost", "[Unknown Error]"})) {
        Add("gpu fault", "GPU " + fields[0] + " of '" + item.target + "' does not work: " + Quoted(line));
      }
      if (total > 0 && used * 100 >= total * kGpuFull) {
        Add("gpu memory", "GPU " + fields[0] + " of '" + item.target + "' has " + Number(used) + " of " +
                              Number(total) + " MiB in use although the stage has ended");
      }
      if (std::strtod(fields[n - 1].c_str(), nullptr) > 0) {
        Add("ecc", "GPU " + fields[0] + " of '" + item.target + "' has" + fields[n - 1] +
                       " memory errors that were not corrected");
      }
    }
    for (const std::string& line : Section(item.text, "# processes")) {
      const std::vector<std::string> fields = Words(line, ",");
      if (fields.size() < 4 || std::strtod(fields[1].c_str(), nullptr) <= 0) continue;
      std::string name = fields[2];
      for (std::size_t i = 3; i + 1 < fields.size(); ++i) name += "," + fields[i];
      Add("gpu process", "process" + fields[1] + " (" +
                             Quoted(name.substr(std::min(name.find_first_not_of(' '), name.size()))) + ") uses" +
                             fields.back() + " MiB of a GPU of '" + item.target + "' now");
    }
  }

  void LookAtSystem(const Item& item) {
    double total = 0, available = -1;
    for (const std::string& line : Section(item.text, "# memory")) {
      const std::vector<std::string> words = Words(line, " :");
      if (words.size() < 2) continue;
      if (words[0] == "MemTotal") total = std::strtod(words[1].c_str(), nullptr);
      if (words[0] == "MemAvailable") available = std::strtod(words[1].c_str(), nullptr);
    }
    if (total > 0 && available >= 0 && available * 100 < total * kLeastMemory) {
      Add("memory", "'" + item.target + "' has " + Number(available / 1024) + " of " + Number(total / 1024) +
                        " MiB of memory left");
    }
    LookAtDisks(item, "# disks", " of the disk", 1024.0 * 1024, " GiB");
    LookAtDisks(item, "# inodes", " of the inodes of the disk", 1, "");
  }

  void LookAtDisks(const Item& item, const char* title, const std::string& what, double unit, const char* name) {
    for (const std::string& line : Section(item.text, title)) {
      const std::vector<std::string> words = Words(line, " \t");
      if (words.size() < 6 || words[4].back() != '%') continue;
      const double percent = std::strtod(words[4].c_str(), nullptr);
      if (percent < kNearlyFull) continue;
      Add(title, words[4] + what + " of '" + item.target + "' at " + Quoted(words[5]) + " are in use; " +
                     Number(std::strtod(words[3].c_str(), nullptr) / unit) + name + " are left");
    }
  }

  void LookAtContainer(const Item& item) {
    const Json all = sdk::TryParseJson(item.text);
    if (!all.is_array() || all.empty() || !all[0].is_object()) return;
    const Json state = all[0].value("State", Json::object());
    if (state.is_object() && state.value("OOMKilled", Json()) == true) {
      Add("container", "the kernel killed the " + item.name + " for want of memory (OOMKilled)");
    }
  }

  void LookAtCommands(const Item& item) {
    std::map<std::string, int> lost;
    for (const std::string& line : LinesOf(item.text)) {
      const std::vector<std::string> words = Words(line, " ");
      if (words.size() < 3 || line.find("-> connection_lost:") == line.npos) continue;
      const std::size_t repeats = line.rfind(" ("), times = line.rfind(" times since ");
      const bool repeated = repeats != line.npos && times != line.npos && repeats < times;
      lost[words[1]] += repeated ? std::max(std::atoi(line.c_str() + repeats + 2), 1) : 1;
    }
    for (const auto& [target, count] : lost) {
      Add("lost",
          std::to_string(count) + (count == 1 ? " command" : " commands") + " to '" + target + "' found no connection");
    }
  }

  const RunFacts& run_;
  const double now_;
  std::map<std::string, std::size_t> counts_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> EvidenceIn(const std::vector<Item>& items, const RunFacts& run,
                                    std::chrono::system_clock::time_point now) {
  Evidence evidence(run, std::chrono::duration<double>(now.time_since_epoch()).count());
  for (const char* first : {"kernel", "container"}) {
    for (const Item& item : items) {
      if (item.name.rfind(first, 0) == 0) evidence.Look(item);
    }
  }
  for (const Item& item : items) {
    if (item.name.rfind("kernel", 0) != 0 && item.name.rfind("container", 0) != 0) evidence.Look(item);
  }
  std::vector<std::string> found = evidence.Take();
  for (const sdk::Json& stage : run.json.value("stages", sdk::Json::array())) {
    const sdk::Json container = stage.is_object() ? stage.value("container", sdk::Json()) : sdk::Json();
    if (container.is_object() && container.value("oom_killed", sdk::Json()) == true) {
      found.insert(found.begin(), "the kernel killed the container of stage '" + TextIn(stage, "stage") +
                                      "' for want of memory (OOMKilled)");
    }
  }
  return found;
}

}  // namespace cosmos::plugins
