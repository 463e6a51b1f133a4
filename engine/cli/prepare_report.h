#pragma once

#include <string>

#include "cli/console.h"
#include "media/shot_preparation.h"

namespace cosmos {

// Shows on a terminal, in one line that is drawn anew, what is done about a control. Off a terminal it shows nothing.
class PrepareProgress {
 public:
  // `console` must outlive the object.
  explicit PrepareProgress(Console* console) : console_(console) {}
  ~PrepareProgress() { Erase(); }
  PrepareProgress(const PrepareProgress&) = delete;
  PrepareProgress& operator=(const PrepareProgress&) = delete;

  void Show(const std::string& control, const std::string& phase, std::int64_t done, std::int64_t total);
  void Erase();

 private:
  Console* const console_;
  bool drawn_ = false;
};

// What was found wrong or odd, to stderr.
void PrintShotFindings(const ShotFindings& findings, Console* console);

// Prints the controls with their frames and videos, and behind them the lines for a workflow. `dry`: nothing is made.
void PrintPrepared(const ShotPreparation& preparation, bool dry, Console* console);
// The same and the findings as one object, for scripts.
nlohmann::json PreparedToJson(const ShotPreparation& preparation, bool dry);

}  // namespace cosmos
