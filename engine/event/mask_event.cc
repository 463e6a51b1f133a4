#include "event/mask_event.h"

namespace cosmos {
namespace {

struct Visitor {
  const Masker& masker;

  void Mask(std::string* text) const {
    if (!text->empty()) *text = masker.Mask(*text);
  }
  void operator()(RunFinished& event) const { Mask(&event.failure.message); }
  void operator()(StageFailed& event) const { Mask(&event.failure.message); }
  void operator()(StageSkipped& event) const { Mask(&event.reason); }
  void operator()(StageRetrying& event) const {
    Mask(&event.failure.message);
    Mask(&event.change);
  }
  void operator()(StageQueued& event) const { Mask(&event.reason); }
  void operator()(Progress& event) const { Mask(&event.phase); }
  void operator()(TargetLost& event) const { Mask(&event.reason); }
  void operator()(HookFailed& event) const { Mask(&event.message); }
  template <typename Other>
  void operator()(Other&) const {}
};

}  // namespace

void MaskTexts(const Masker& masker, EventPayload* payload) {
  if (!masker.empty()) std::visit(Visitor{masker}, *payload);
}

}  // namespace cosmos
