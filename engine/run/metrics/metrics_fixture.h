#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "core/text.h"

namespace cosmos {

// The samples of a text in Prometheus' format, by what stands before their value; labels in the order of their names,
// and still escaped. Fails the test for everything that the format (version 0.0.4) or its rules for names do not allow.
class Exposition {
 public:
  explicit Exposition(const std::string& text) {
    EXPECT_TRUE(text.empty() || text.back() == '\n') << "the last line has no end";
    for (const std::string& line : SplitLines(text)) {
      line_ = line;
      line.rfind("# ", 0) == 0 ? Comment(line) : Sample(line);
    }
    EndFamily();
  }

  bool Has(const std::string& sample) const { return samples_.contains(sample); }
  double operator[](const std::string& sample) const {
    const auto found = samples_.find(sample);
    if (found != samples_.end()) return found->second;
    ADD_FAILURE() << "there is no " << sample;
    return std::nan("");
  }
  std::size_t size() const { return samples_.size(); }

 private:
  void Expect(bool holds, const std::string& what) const { EXPECT_TRUE(holds) << what << ": " << line_; }

  void Comment(const std::string& line) {
    static const std::regex kHelp(R"(# HELP ([a-z][a-z0-9_]*) ((?:[^\\]|\\\\|\\n)+))");
    static const std::regex kType(R"(# TYPE ([a-z][a-z0-9_]*) (counter|gauge|histogram))");
    std::smatch match;
    if (std::regex_match(line, match, kHelp)) {
      EndFamily();
      family_ = match[1];
      Expect(families_.insert(family_).second, "a family is there twice");
      return;
    }
    Expect(std::regex_match(line, match, kType) && match[1] == family_ && type_.empty(), "no comment of this place");
    type_ = match[2];
    const bool total = family_.size() > 6 && family_.rfind("_total") == family_.size() - 6;
    Expect(total == (type_ == "counter"), "counters, and nothing else, end with _total");
  }

  void Sample(const std::string& line) {
    static const std::regex kSample(R"(([a-z][a-z0-9_]*)(?:\{(.*)\})? ([^ ]+))");
    static const std::regex kLabel(R"re(([a-z][a-z0-9_]*)="((?:[^\\"\n]|\\\\|\\"|\\n)*)"(?:,|$))re");
    std::smatch match;
    Expect(std::regex_match(line, match, kSample), "no sample");
    if (match.empty()) return;
    const std::string name = match[1], list = match[2], number = match[3];
    std::map<std::string, std::string> labels;
    std::size_t read = 0;
    for (std::sregex_iterator label(list.begin(), list.end(), kLabel), end; label != end; ++label) {
      Expect(static_cast<std::size_t>(label->position()) == read, "something between the labels");
      Expect(labels.emplace((*label)[1], (*label)[2]).second, "a label is there twice");
      read += static_cast<std::size_t>(label->length());
    }
    Expect(read == list.size() && (list.empty() || list.back() != ','), "something behind the labels");
    char* end = nullptr;
    const double value = std::strtod(number.c_str(), &end);
    Expect(*end == '\0', "no number");
    Expect(!type_.empty(), "a sample without a type");
    if (type_ == "histogram") {
      Bucket(name, labels, value);
    } else {
      Expect(name == family_, "a sample of another family");
    }
    if (type_ == "counter") Expect(value >= 0, "a counter below 0");
    Expect(samples_.emplace(KeyOf(name, labels), value).second, "a sample is there twice");
    ++in_family_;
  }

  // Buckets grow, and the last one has as many as there are.
  void Bucket(const std::string& name, std::map<std::string, std::string> labels, double value) {
    if (name == family_ + "_bucket") {
      const double bound = std::strtod(labels["le"].c_str(), nullptr);
      Expect(labels.contains("le") && bound > bound_ && value >= count_, "a bucket that is not larger");
      bound_ = bound;
      count_ = value;
    } else if (name == family_ + "_count") {
      Expect(std::isinf(bound_) && value == count_, "a count that is not that of the last bucket");
      bound_ = -INFINITY;
      count_ = 0;
    } else {
      Expect(name == family_ + "_sum", "a sample of another family");
    }
  }

  void EndFamily() {
    EXPECT_TRUE(family_.empty() || in_family_ > 0) << family_ << " has no samples";
    EXPECT_TRUE(std::isinf(bound_)) << family_ << " has no count";
    in_family_ = 0;
    type_.clear();
  }

  static std::string KeyOf(const std::string& name, const std::map<std::string, std::string>& labels) {
    std::string list;
    for (const auto& [label, value] : labels) list += (list.empty() ? "" : ",") + label + "=\"" + value + "\"";
    return list.empty() ? name : name + "{" + list + "}";
  }

  std::string line_;
  std::string family_;
  std::string type_;
  int in_family_ = 0;
  double bound_ = -INFINITY;
  double count_ = 0;
  std::set<std::string> families_;
  std::map<std::string, double> samples_;
};

}  // namespace cosmos
