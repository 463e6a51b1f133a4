#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

// Replaces the values of secrets by `***`, wherever text leaves the engine, in every spelling (core/spelling.h). Of a
// value with several lines each line is a secret too, and of one that is JSON each long text in it; short ones (`}`)
// and the armour of PEM are anybody's. Immutable, so any thread may use it; copies share what they hold.
class Masker {
 public:
  Masker() = default;
  // Values of fewer than 4 characters are too common to be looked for; the check of secrets refuses them beforehand.
  explicit Masker(const std::vector<std::string>& secrets);

  bool empty() const { return index_ == nullptr; }
  std::string Mask(std::string_view text) const;
  bool Finds(std::string_view text) const;

 private:
  friend class StreamMasker;
  struct Index;

  // Masks the part of `text` to which nothing that follows it can make a difference, all of it when it is `complete`.
  // The size of that part.
  std::size_t MaskSettled(std::string_view text, bool complete, std::string* masked) const;

  std::shared_ptr<const Index> index_;
};

// Masks a stream that comes in pieces: holds back as many bytes as may be the start of a secret. Not thread-safe.
class StreamMasker {
 public:
  // `masker` must outlive the object.
  explicit StreamMasker(const Masker* masker) : masker_(masker) {}

  // What can be passed on after these bytes.
  std::string Add(std::string_view bytes);
  // What was held back.
  std::string Finish();

 private:
  const Masker* masker_;
  std::string held_;
};

}  // namespace cosmos
