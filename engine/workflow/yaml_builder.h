#pragma once

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <map>
#include <string>
#include <vector>

#include "workflow/yaml_document.h"

namespace cosmos {

// A document exceeds a limit; nothing more is read of it.
struct YamlLimit {
  Place place;
  std::string message;
  std::string hint;
};

// Builds JSON and places from yaml-cpp's events. Throws YamlLimit. Belongs to yaml_document.cc: yaml-cpp stays behind
// it.
class YamlBuilder final : public YAML::EventHandler {
 public:
  explicit YamlBuilder(FindingList* findings) : findings_(findings) {}

  nlohmann::json TakeValue() { return std::move(result_.value); }
  // Where the last scalar begins; the only one that can be open at the end of the text.
  Place last_scalar() const { return last_scalar_; }
  YamlNode TakeNode() { return std::move(result_.node); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { Close(); }

 private:
  struct Part {
    nlohmann::json value;
    YamlNode node;
    size_t size = 1;   // values in it, itself included
    size_t bytes = 0;  // of its texts and keys
    int depth = 0;     // levels of lists and maps in it, itself included
  };
  // A list or map whose end has not come yet.
  struct Open {
    Part part;
    YAML::anchor_t anchor = 0;
    bool is_map = false;
    bool has_key = false;
    std::string key;
    Place key_place;
    std::vector<Part> merged;  // values of `<<`
  };

  static Place PlaceOf(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }
  // Whether the open map now expects a key; tells of a key that is no text.
  bool ExpectsKey() const { return !open_.empty() && open_.back().is_map && !open_.back().has_key; }
  void Begin(const YAML::Mark& mark, YAML::anchor_t anchor, bool is_map);
  void Close();
  void Put(Part part, YAML::anchor_t anchor);
  void PutMember(Open* map, Part part);
  static void Merge(Open* map);
  void CheckTag(const std::string& tag, Place place);
  // Counts a value that is built, or `part` as one that is copied.
  void Count(Place place);
  void CountCopy(const Part& part, Place place);

  FindingList* findings_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Part> anchors_;
  Part result_;
  Place last_scalar_;
  size_t values_ = 0;
  size_t repeated_ = 0;        // values that aliases stand for
  size_t repeated_bytes_ = 0;  // and their texts
};

}  // namespace cosmos
