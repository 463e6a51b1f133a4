#include "run/target_contact.h"

#include "run/target_set.h"

namespace cosmos {

TargetContact::TargetContact(const nlohmann::json& config)
    : target_(MakeTarget(config, &cancel_, [this](const ConnectionChange& change) {
        if (change.kind == ConnectionChange::Kind::kLost) cancel_.Abandon();
      })) {}

}  // namespace cosmos
