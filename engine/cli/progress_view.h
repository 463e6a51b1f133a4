#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/console.h"
#include "event/bus.h"

namespace cosmos {

// Shows a person how a run comes along: a line for each thing that happened, and on a terminal, below them, a line with
// a bar for each stage at work. Used by one thread: the one on which its subscription is called.
class ProgressView {
 public:
  // `console` must outlive the view.
  explicit ProgressView(Console* console) : console_(console) {}

  // How the view listens to a bus, which it must outlive.
  Subscription Subscribe();

 private:
  struct AtWork {
    SteadyTime started;
    Progress progress;
    SteadyTime reported;  // when that came
  };

  void Show(const Event& event);
  void Note(const Event& event, const std::string& text);
  void Say(const std::string& line);
  void EraseBars();
  void DrawBars(SteadyTime now);
  std::string Bar(const std::string& key, const AtWork& stage, SteadyTime now) const;

  Console* const console_;
  std::map<std::string, AtWork> at_work_;
  std::size_t stages_ = 0;
  std::size_t ended_ = 0;
  std::size_t drawn_ = 0;  // lines of bars on the terminal
};

}  // namespace cosmos
