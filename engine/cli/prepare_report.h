#pragma once

#include <cstdint>
#include <string>

#include "cli/console.h"
#include "media/shot_preparation.h"

namespace cosmos {

// Shows what is done about a control: on a terminal in one line that is redrawn, and off a terminal not at all. As
// `lines` it goes to stderr wherever that leads, a line for each percent: `depth: encoding, 12 of 121 frames`. Used by
// one thread.
class PrepareProgress {
 public:
  // `console` must outlive the object.
  PrepareProgress(Console* console, bool lines) : console_(console), lines_(lines) {}
  ~PrepareProgress() { Erase(); }
  PrepareProgress(const PrepareProgress&) = delete;
  PrepareProgress& operator=(const PrepareProgress&) = delete;

  void Show(const std::string& control, const std::string& phase, std::int64_t done, std::int64_t total);
  void Erase();

 private:
  void Draw(const std::string& control, const std::string& phase, std::int64_t done, std::int64_t total);
  void PrintLine(const std::string& control, const std::string& phase, std::int64_t done, std::int64_t total);

  Console* const console_;
  const bool lines_;
  bool drawn_ = false;
  std::string printed_;  // what the last line was about, and its percent
};

// What was found wrong or odd, to stderr.
void PrintShotFindings(const ShotFindings& findings, Console* console);

// Prints the controls with their frames and videos, and behind them the lines for a workflow. `dry`: nothing is made.
void PrintPrepared(const ShotPreparation& preparation, bool dry, Console* console);
// The same and the findings as one object, for scripts.
nlohmann::json PreparedToJson(const ShotPreparation& preparation, bool dry);

}  // namespace cosmos
