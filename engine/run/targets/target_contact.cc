#include "run/targets/target_contact.h"

#include <chrono>
#include <utility>

#include "run/targets/target_set.h"

namespace cosmos {
namespace {

constexpr auto kLongestToReach = std::chrono::seconds(10);

}  // namespace

TargetContact::TargetContact(const nlohmann::json& config, Passphrases passphrases) {
  TargetSettings settings;
  settings.observer = [this](const ConnectionChange& change) {
    if (change.kind == ConnectionChange::Kind::kLost) cancel_.Abandon();
  };
  settings.asks = passphrases == Passphrases::kAsked;
  target_ = MakeTarget(config, &cancel_, std::move(settings));
}

void TargetContact::Reach() const {
  if (!target_->IsLocal()) target_->Reach(kLongestToReach);
}

}  // namespace cosmos
