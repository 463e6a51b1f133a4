#include "workflow/yaml_builder.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace cosmos {
namespace {

using nlohmann::json;

constexpr size_t kMaxValues = 1'000'000;
constexpr int kMaxDepth = 100;  // as of JSON that others wrote
// Aliases repeat what they name; a document of a few lines could grow beyond all memory.
constexpr size_t kMostRepeated = 200'000;
constexpr size_t kMostRepeatedBytes = size_t{16} << 20;
constexpr std::string_view kDigits = "0123456789";

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool AllOf(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == text.npos;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool IsFloat(std::string_view text) {
  const auto skip_digits = [&] {
    const size_t count = std::min(text.find_first_not_of(kDigits), text.size());
    text.remove_prefix(count);
    return count;
  };
  const auto skip_one_of = [&](std::string_view characters) {
    if (text.empty() || characters.find(text[0]) == characters.npos) return false;
    text.remove_prefix(1);
    return true;
  };
  skip_one_of("+-");
  const size_t whole = skip_digits();
  const size_t fraction = skip_one_of(".") ? skip_digits() : 0;
  if (whole + fraction == 0) return false;
  if (skip_one_of("eE")) {
    skip_one_of("+-");
    if (skip_digits() == 0) return false;
  }
  return text.empty();
}

template <typename Number>
std::optional<Number> Parsed(std::string_view text, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

json IntegerOf(std::string_view digits, int base) {
  if (const auto number = Parsed<std::int64_t>(digits, base)) return *number;
  if (const auto number = Parsed<std::uint64_t>(digits, base)) return *number;
  return std::strtod(std::string(digits).c_str(), nullptr);
}

// The value of a plain scalar by YAML 1.2's core schema.
json ValueOf(const std::string& text) {
  if (IsOneOf(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (IsOneOf(text, {"true", "True", "TRUE"})) return true;
  if (IsOneOf(text, {"false", "False", "FALSE"})) return false;
  std::string_view digits = text;
  if (digits[0] == '+' || digits[0] == '-') digits.remove_prefix(1);
  // The number of a shot or a version; YAML 1.1 takes it for octal, YAML 1.2 for decimal.
  if (AllOf(digits, kDigits) && digits.size() > 1 && digits[0] == '0') return text;
  if (AllOf(digits, kDigits)) return IntegerOf(text[0] == '+' ? digits : text, 10);
  if (text.rfind("0o", 0) == 0 && AllOf(text.substr(2), "01234567")) return IntegerOf(text.substr(2), 8);
  if (text.rfind("0x", 0) == 0 && AllOf(text.substr(2), "0123456789abcdefABCDEF")) {
    return IntegerOf(text.substr(2), 16);
  }
  if (IsFloat(text)) return std::strtod(text.c_str(), nullptr);
  return text;
}

bool IsNoNumber(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  return IsOneOf(text, {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"});
}

}  // namespace

void YamlBuilder::CheckTag(const std::string& tag, Place place) {
  if (IsOneOf(tag, {"", "?", "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})) return;
  findings_->Add(place, "found the tag '" + tag + "'; tags have no meaning here", "remove it");
}

void YamlBuilder::Count(Place place) {
  if (++values_ > kMaxValues) {
    throw YamlLimit{place, "the file has more than " + std::to_string(kMaxValues) + " values", "split it into several"};
  }
}

void YamlBuilder::CountCopy(const Part& part, Place place) {
  repeated_ += part.size;
  repeated_bytes_ += part.bytes;
  if (repeated_ > kMostRepeated) {
    throw YamlLimit{place, "aliases repeat more than " + std::to_string(kMostRepeated) + " values",
                    "look for aliases that repeat each other"};
  }
  if (repeated_bytes_ > kMostRepeatedBytes) {
    throw YamlLimit{place, "aliases repeat more than " + std::to_string(kMostRepeatedBytes >> 20) + " MiB of text",
                    "look for aliases that repeat a long text"};
  }
}

void YamlBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) { OnScalar(mark, "?", anchor, ""); }

void YamlBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& text) {
  const Place place = PlaceOf(mark);
  last_scalar_ = place;
  CheckTag(tag, place);
  Count(place);
  Part part;
  part.bytes = text.size();
  part.node.key = part.node.value = place;
  const bool plain = tag == "?";
  if (ExpectsKey()) {
    part.value = text;
    open_.back().part.bytes += text.size();
    if (anchor != 0) anchors_[anchor] = part;
    open_.back().has_key = true;
    open_.back().key = text;
    open_.back().key_place = place;
    return;
  }
  part.value = plain ? ValueOf(text) : json(text);
  if (part.value.is_number() || part.value.is_boolean()) part.node.text = text;
  if (plain && IsNoNumber(text)) {
    findings_->Add(place, "found '" + text + "', expected a finite number", "write it in quotes if a text is meant");
  }
  Put(std::move(part), anchor);
}

void YamlBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto found = anchors_.find(anchor);
  Part part;
  if (found == anchors_.end()) {
    findings_->Add(PlaceOf(mark), "the alias stands inside the very value that it names", "name another anchor");
  } else if (ExpectsKey() && !found->second.value.is_string()) {
    findings_->Add(PlaceOf(mark), "found an alias as a key that is no text");
  } else {
    CountCopy(found->second, PlaceOf(mark));
    part = found->second;
  }
  part.node.key = part.node.value = PlaceOf(mark);
  if (ExpectsKey()) {
    open_.back().has_key = true;
    open_.back().key = part.value.is_string() ? part.value.get<std::string>() : "";
    open_.back().part.bytes += open_.back().key.size();
    open_.back().key_place = part.node.key;
    return;
  }
  Put(std::move(part), 0);
}

void YamlBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                  YAML::EmitterStyle::value) {
  CheckTag(tag, PlaceOf(mark));
  Begin(mark, anchor, false);
}

void YamlBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
  CheckTag(tag, PlaceOf(mark));
  Begin(mark, anchor, true);
}

void YamlBuilder::Begin(const YAML::Mark& mark, YAML::anchor_t anchor, bool is_map) {
  const bool as_key = ExpectsKey();
  if (as_key) {
    findings_->Add(PlaceOf(mark), std::string("found a ") + (is_map ? "map" : "list") + " as a key, expected a text",
                   "write an expression `${{ … }}` in quotes here");
  }
  Count(PlaceOf(mark));
  if (open_.size() >= kMaxDepth) {
    throw YamlLimit{PlaceOf(mark), "lists and maps nest more than " + std::to_string(kMaxDepth) + " levels deep",
                    "close some of them"};
  }
  Open open;
  open.part.depth = 1;
  open.part.value = is_map ? json::object() : json::array();
  open.part.node.key = open.part.node.value = PlaceOf(mark);
  open.anchor = anchor;
  open.is_map = is_map;
  open_.push_back(std::move(open));
}

void YamlBuilder::Close() {
  Open closed = std::move(open_.back());
  open_.pop_back();
  Merge(&closed);
  Put(std::move(closed.part), closed.anchor);
}

void YamlBuilder::Put(Part part, YAML::anchor_t anchor) {
  if (anchor != 0) {
    if (part.value.is_structured()) CountCopy(part, part.node.value);  // kept once more
    anchors_[anchor] = part;
  }
  if (open_.empty()) {
    result_ = std::move(part);
    return;
  }
  Open& parent = open_.back();
  parent.part.size += part.size;
  parent.part.bytes += part.bytes;
  parent.part.depth = std::max(parent.part.depth, part.depth + 1);
  if (static_cast<int>(open_.size()) + part.depth > kMaxDepth) {
    throw YamlLimit{part.node.value,
                    "with its aliases, lists and maps nest more than " + std::to_string(kMaxDepth) + " levels deep",
                    "look for aliases that stand in each other"};
  }
  if (!parent.is_map) {
    parent.part.value.push_back(std::move(part.value));
    parent.part.node.items.push_back(std::move(part.node));
  } else if (!parent.has_key) {
    parent.has_key = true;  // a key that is no text, told already; its value is taken for nobody's
    parent.key.clear();
    parent.key_place = part.node.key;
  } else {
    PutMember(&parent, std::move(part));
  }
}

void YamlBuilder::PutMember(Open* map, Part part) {
  map->has_key = false;
  part.node.key = map->key_place;
  if (map->key == "<<" && (part.value.is_object() || part.value.is_array())) {
    map->merged.push_back(std::move(part));
    return;
  }
  const auto [member, added] = map->part.value.emplace(map->key, std::move(part.value));
  if (added) {
    map->part.node.members.push_back({map->key, std::move(part.node)});
    return;
  }
  if (findings_->full()) return;
  const YamlNode* first = map->part.node.Member(map->key);
  findings_->Add(map->key_place, "the key '" + map->key + "' stands twice in this map",
                 "the first stands in line " + std::to_string(first->key.line) + "; remove one of them");
}

// The map's own keys win over merged ones, and earlier merged maps over later ones.
void YamlBuilder::Merge(Open* map) {
  std::vector<Part> sources;
  for (Part& part : map->merged) {
    if (part.value.is_object()) {
      sources.push_back(std::move(part));
      continue;
    }
    for (size_t i = 0; i < part.value.size(); ++i) {
      if (part.value[i].is_object()) sources.push_back({part.value[i], part.node.items[i]});
    }
  }
  for (Part& source : sources) {
    for (auto& [name, node] : source.node.members) {
      if (map->part.value.emplace(name, source.value[name]).second) map->part.node.members.push_back({name, node});
    }
  }
}

}  // namespace cosmos
