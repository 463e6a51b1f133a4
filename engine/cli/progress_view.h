#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/console.h"
#include "event/bus.h"

namespace cosmos {

// Shows a person how a run comes along: a line for each thing that happened, and on a terminal, below them, a line with
// a bar for each stage at work, redrawn every second by a thread of its own, so that clocks tick. From the first event
// to the last nothing else may print.
class ProgressView {
 public:
  // `console` must outlive the view.
  explicit ProgressView(Console* console);
  ~ProgressView();
  ProgressView(const ProgressView&) = delete;
  ProgressView& operator=(const ProgressView&) = delete;

  // How the view listens to a bus, which it must outlive.
  Subscription Subscribe();

 private:
  struct AtWork {
    SteadyTime started;
    Progress progress;
    SteadyTime reported;  // when that came
  };

  // REQUIRES of all that follow: mutex_ is held.
  void Show(const Event& event);
  void Note(const Event& event, const std::string& text);
  void Say(const std::string& line);
  void ShowFailure(const Event& event, const std::string& took, const Failure& failure);
  std::string CursorToBars() const;
  void EraseBars();
  void DrawBars(SteadyTime now);
  std::string Bar(const std::string& key, const AtWork& stage, SteadyTime now) const;

  Console* const console_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable stop_;
  bool stopping_ = false;
  std::map<std::string, AtWork> at_work_;
  std::size_t stages_ = 0;
  std::size_t ended_ = 0;
  std::vector<std::size_t> drawn_;  // the columns of each line of bars on the terminal
  std::thread ticker_;
};

}  // namespace cosmos
