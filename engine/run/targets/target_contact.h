#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "core/cancel.h"
#include "target/recorded_target.h"

namespace cosmos {

// A target that is asked a few things now. Unlike a run's, a connection that cannot be made or breaks is not waited
// for: whatever is asked then throws Error{kConnectionLost}. Thread-safe, as Target is.
class TargetContact {
 public:
  enum class Passphrases { kAsked, kUnasked };  // for those of keys, on a terminal

  // `config` as for MakeTarget. Contacts nothing.
  explicit TargetContact(const nlohmann::json& config, Passphrases passphrases = Passphrases::kAsked);

  // Returns when the target can be used, of which this machine is not asked. Throws what Target::Reach throws, after 10
  // s.
  void Reach() const;
  Target* operator->() const { return target_.get(); }
  Target* get() const { return target_.get(); }
  // The target itself, behind what records its operations.
  Target* inner() const { return target_->inner(); }
  // Whoever waits for the host shall wait no more.
  void Abandon() noexcept { cancel_.Abandon(); }

 private:
  CancelToken cancel_;
  std::unique_ptr<RecordedTarget> target_;  // goes first, as its connection's thread uses the token
};

}  // namespace cosmos
