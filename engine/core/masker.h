#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cosmos {

// Replaces the values of secrets by `***`, wherever text leaves the engine. Immutable, so any thread may use it.
class Masker {
 public:
  Masker() = default;
  // Values of fewer than 4 characters are too common to be looked for; the check of secrets refuses them beforehand.
  explicit Masker(std::vector<std::string> secrets);

  bool empty() const { return secrets_.empty(); }
  std::string Mask(std::string_view text) const;
  bool Finds(std::string_view text) const;
  const std::vector<std::string>& secrets() const { return secrets_; }

 private:
  std::vector<std::string> secrets_;  // longest first, so that a secret within another one leaves nothing behind
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
