#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/cancel.h"
#include "media/video_probe.h"
#include "run/preflight/preflight.h"
#include "run/preflight/stage_needs.h"

namespace cosmos {

// Looks at the videos that stages read from this machine, at each file once. For one thread.
class LocalNeeds {
 public:
  // The token must outlive this.
  explicit LocalNeeds(const CancelToken* cancel) : cancel_(*cancel) {}

  PreflightFindings Look(const StageNeeds& needs);

 private:
  struct Seen {
    VideoFacts facts;
    PreflightFinding finding;  // with a message when there is anything to tell
  };
  const Seen& See(const std::string& path);
  // Why videos cannot be looked at on this machine; empty when they can.
  const std::string& ProblemOfTools();

  const CancelToken& cancel_;
  std::optional<std::string> tools_;
  std::map<std::string, Seen> seen_;
};

}  // namespace cosmos
