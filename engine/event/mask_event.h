#pragma once

#include "core/masker.h"
#include "event/event.h"

namespace cosmos {

// Masks secrets in what people wrote or programs printed: messages and reasons.
void MaskTexts(const Masker& masker, EventPayload* payload);

}  // namespace cosmos
