#include "run/targets/target_contact.h"

#include <utility>

#include "run/targets/target_set.h"

namespace cosmos {

TargetContact::TargetContact(const nlohmann::json& config, Passphrases passphrases) {
  TargetSettings settings;
  settings.observer = [this](const ConnectionChange& change) {
    if (change.kind == ConnectionChange::Kind::kLost) cancel_.Abandon();
  };
  settings.asks = passphrases == Passphrases::kAsked;
  target_ = MakeTarget(config, &cancel_, std::move(settings));
}

}  // namespace cosmos
