#include "core/masker.h"

#include <algorithm>
#include <utility>

namespace cosmos {
namespace {

constexpr size_t kShortest = 4;

}  // namespace

Masker::Masker(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {
  std::erase_if(secrets_, [](const std::string& secret) { return secret.size() < kShortest; });
  std::stable_sort(secrets_.begin(), secrets_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string Masker::Mask(std::string_view text) const {
  std::string masked(text);
  for (const std::string& secret : secrets_) {
    for (size_t at = masked.find(secret); at != masked.npos; at = masked.find(secret, at + 3)) {
      masked.replace(at, secret.size(), "***");
    }
  }
  return masked;
}

bool Masker::Finds(std::string_view text) const {
  return std::any_of(secrets_.begin(), secrets_.end(),
                     [&](const std::string& secret) { return text.find(secret) != text.npos; });
}

std::string StreamMasker::Add(std::string_view bytes) {
  held_ = masker_->Mask(held_ += bytes);
  // The longest end of what is there that is the start of a secret stays.
  size_t keep = 0;
  for (const std::string& secret : masker_->secrets()) {
    for (size_t n = std::min(secret.size() - 1, held_.size()); n > keep; --n) {
      if (std::string_view(held_).substr(held_.size() - n) == std::string_view(secret).substr(0, n)) keep = n;
    }
  }
  std::string ready = held_.substr(0, held_.size() - keep);
  held_.erase(0, ready.size());
  return ready;
}

std::string StreamMasker::Finish() { return masker_->Mask(std::exchange(held_, {})); }

}  // namespace cosmos
