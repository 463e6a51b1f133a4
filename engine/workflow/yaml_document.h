#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workflow/findings.h"

namespace cosmos {

struct YamlMember;

// Where a value of a document stands, in a tree of the same shape as the value. Members are in the order of the
// document.
struct YamlNode {
  Place key;         // of a member's key; elsewhere the same as `value`
  Place value;       // its first character; an alias: where the alias stands
  std::string text;  // of a number or a boolean, as it is written: `1.10`
  std::vector<YamlMember> members;
  std::vector<YamlNode> items;

  // The member, or nullptr. Linear: iterate where there are many.
  const YamlNode* Member(std::string_view name) const;
  // The node at a path of keys and indices, or the nearest one above that is there. Never nullptr.
  const YamlNode* Nearest(const std::vector<std::string>& path) const;
};

struct YamlMember {
  std::string key;
  YamlNode node;
};

// One YAML 1.2 document (core schema: only true/false/null and numbers are typed, `yes` and `on` are texts; and so is a
// number with zeros in front, such as 0010) as JSON,
// with the place of everything in it. Anchors, aliases and merge keys are carried out. A value; const use from any
// thread.
class YamlDocument {
 public:
  // Never throws on what the text says: a text that is wrong gives findings, and as much of a value as was understood
  // (null when it could not be parsed, or holds nothing).
  static YamlDocument Parse(std::string text, std::string file);

  const std::string& file() const { return findings_.file(); }
  const nlohmann::json& value() const { return value_; }
  // To replace scalars; lists and maps keep the shape that root() has.
  nlohmann::json* mutable_value() { return &value_; }
  const YamlNode& root() const { return root_; }
  const FindingList& findings() const { return findings_; }

  // The place of the byte `offset` of the text value that stands at `node`, which may be quoted, folded or a block.
  Place PlaceInside(const YamlNode& node, std::string_view text_value, size_t offset) const;

 private:
  explicit YamlDocument(std::string file) : findings_(std::move(file)) {}
  void CheckQuoteIsClosed(Place scalar);
  std::optional<size_t> LateQuoteBefore(size_t offset) const;
  size_t OffsetOf(Place place) const;
  Place PlaceOf(size_t offset) const;

  std::string text_;
  std::vector<size_t> line_starts_;
  nlohmann::json value_;
  YamlNode root_;
  FindingList findings_;
};

}  // namespace cosmos
