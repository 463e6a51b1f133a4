#include "core/masker.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/json_values.h"
#include "core/spelling.h"
#include "core/text.h"

namespace cosmos {
namespace {

using nlohmann::json;

constexpr std::size_t kShortest = 4;
constexpr std::size_t kShortestLine = 8;
constexpr std::size_t kShortestText = 16;  // within JSON, where a type or a name is not secret

struct Part {
  std::size_t begin, end;
};

std::string_view Trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\r");
  if (begin == line.npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

void AddLines(const std::string& value, std::set<std::string>* texts) {
  if (value.find('\n') == value.npos) return;
  for (const std::string& whole : SplitLines(value)) {
    const std::string_view line = Trimmed(whole);
    if (line.size() >= kShortestLine && line.substr(0, 5) != "-----") texts->emplace(line);
  }
}

void AddTexts(const json& value, std::set<std::string>* texts) {
  if (value.is_structured()) {
    for (const json& element : value) AddTexts(element, texts);
  } else if (value.is_string() && value.get_ref<const std::string&>().size() >= kShortestText) {
    texts->insert(value.get<std::string>());
    AddLines(value, texts);
  }
}

}  // namespace

// All that is looked for, to be found by the first two bytes.
struct Masker::Index {
  std::vector<Spelling> spellings;
  std::array<std::vector<const Spelling*>, 256> by_first;
  std::bitset<65536> begins;  // the first byte and, below it, the second
  std::unordered_map<std::size_t, std::vector<const Spelling*>> by_both;

  explicit Index(const std::vector<std::string>& secrets) {
    std::set<std::string> texts;
    for (const std::string& secret : secrets) {
      texts.insert(secret);
      AddLines(secret, &texts);
      if (secret[0] == '{' || secret[0] == '[') AddTexts(TryParseJson(secret), &texts);
      for (Spelling& spelling : Spelling::OfBase64(secret)) spellings.push_back(std::move(spelling));
    }
    for (const std::string& text : texts) spellings.push_back(Spelling::OfText(text));
    for (const Spelling& spelling : spellings) Add(&spelling);
  }
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  void Add(const Spelling* spelling) {
    const Spelling::Bytes firsts = spelling->FirstBytes();
    for (std::size_t first = 0; first < firsts.size(); ++first) {
      if (!firsts[first]) continue;
      by_first[first].push_back(spelling);
      const Spelling::Bytes seconds = spelling->SecondBytes(static_cast<unsigned char>(first));
      for (std::size_t second = 0; second < seconds.size(); ++second) {
        if (!seconds[second]) continue;
        begins.set(first * 256 + second);
        by_both[first * 256 + second].push_back(spelling);
      }
    }
  }

  // The next part that holds one secret, or several that overlap, from `from` on; an empty one when there is none.
  // `open`: the first place where one may begin that is not there to its end.
  Part Next(std::string_view text, std::size_t from, std::size_t* open) const {
    Part found{text.size(), text.size()};
    for (std::size_t at = from; at < text.size() && (found.end == found.begin || at < found.end); ++at) {
      const auto byte = [&](std::size_t place) { return static_cast<unsigned char>(text[place]); };
      const bool last = at + 1 == text.size();
      const std::size_t both = last ? 0 : byte(at) * 256U + byte(at + 1);
      if (!last && !begins[both]) continue;
      for (const Spelling* spelling : last ? by_first[byte(at)] : by_both.at(both)) {
        const Spelling::Match match = spelling->At(text, at);
        if (match.open) *open = std::min(*open, at);
        if (match.end == text.npos) continue;
        if (found.end == found.begin) found = {at, match.end};
        found.end = std::max(found.end, match.end);
      }
    }
    return found;
  }
};

Masker::Masker(const std::vector<std::string>& secrets) {
  std::vector<std::string> values;
  for (const std::string& secret : secrets) {
    if (secret.size() >= kShortest) values.push_back(secret);
  }
  if (!values.empty()) index_ = std::make_shared<const Index>(values);
}

std::size_t Masker::MaskSettled(std::string_view text, bool complete, std::string* masked) const {
  std::size_t open = text.size();
  for (std::size_t at = 0;;) {
    const Part part = index_->Next(text, at, &open);
    const std::size_t settled = complete ? text.size() : open;
    if (part.begin >= settled || part.end > settled || part.begin == part.end) {
      const std::size_t end = part.begin == part.end ? settled : std::min(settled, part.begin);
      masked->append(text.substr(at, end - at));
      return end;
    }
    masked->append(text.substr(at, part.begin - at)).append("***");
    at = part.end;
  }
}

std::string Masker::Mask(std::string_view text) const {
  if (empty()) return std::string(text);
  std::string masked;
  MaskSettled(text, true, &masked);
  return masked;
}

bool Masker::Finds(std::string_view text) const {
  if (empty()) return false;
  std::size_t open = 0;
  const Part part = index_->Next(text, 0, &open);
  return part.end > part.begin;
}

std::string StreamMasker::Add(std::string_view bytes) {
  if (masker_->empty()) return std::string(bytes);
  held_ += bytes;
  std::string ready;
  held_.erase(0, masker_->MaskSettled(held_, false, &ready));
  return ready;
}

std::string StreamMasker::Finish() { return masker_->Mask(std::exchange(held_, {})); }

}  // namespace cosmos
