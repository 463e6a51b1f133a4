#include "target/ssh/ssh_exchange.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace cosmos {
namespace {

constexpr std::size_t kMostErrors = 64 << 10;

}  // namespace

SshExchange::SshExchange(std::string command, std::string_view begin, Kind kind)
    : command_(std::move(command)), begin_(begin), kind_(kind), changed_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!changed_.valid()) throw Error(ErrorCode::kUnavailable, "no file descriptor is left for a command on a host");
}

void SshExchange::Tell() const {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(changed_.get(), &one, sizeof one));
}

void SshExchange::WakeConnection() const {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_up_, &one, sizeof one));
}

// False when it was not a change that ended the waiting.
bool SshExchange::WaitForChange(SteadyTime until, const CancelToken* stop) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
  if (left <= 0 || (stop != nullptr && stop->cancelled())) return false;
  pollfd wait[] = {{changed_.get(), POLLIN, 0}, {stop != nullptr ? stop->fd() : -1, POLLIN, 0}};
  ::poll(wait, 2, static_cast<int>(std::min<long>(left, 60 * 60 * 1000)));
  std::uint64_t count = 0;
  static_cast<void>(!::read(changed_.get(), &count, sizeof count));
  return true;
}

std::string SshExchange::Read(SteadyTime until, const CancelToken* stop) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (!output_.empty() || end_ != End::kNone) {
        std::string bytes = std::exchange(output_, {});
        if (bytes.size() > kMostBuffered / 2) WakeConnection();  // it may have stopped for want of room
        return bytes;
      }
      if (std::exchange(errors_told_, errors_.size()) != errors_.size()) return "";
    }
    if (!WaitForChange(until, stop)) return "";
  }
}

bool SshExchange::Write(std::string_view bytes, SteadyTime until, const CancelToken* stop) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (end_ != End::kNone || stopped_) return false;
      if (input_.size() - input_taken_ < kMostBuffered / 2) {
        input_.erase(0, std::exchange(input_taken_, 0));
        input_ += bytes;
        break;
      }
    }
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now >= until || (stop != nullptr && stop->cancelled())) return false;
    WaitForChange(std::min<SteadyTime>(until, now + std::chrono::seconds(1)), stop);
  }
  WakeConnection();
  return true;
}

void SshExchange::CloseInput() {
  {
    const std::lock_guard lock(mutex_);
    input_closed_ = true;
  }
  WakeConnection();
}

void SshExchange::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = input_closed_ = true;
    output_.clear();
    input_.clear();
    input_taken_ = 0;
  }
  WakeConnection();
}

bool SshExchange::ended() const {
  const std::lock_guard lock(mutex_);
  return end_ != End::kNone && output_.empty();
}

SshExchange::End SshExchange::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

std::exception_ptr SshExchange::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

int SshExchange::exit_status() const {
  const std::lock_guard lock(mutex_);
  return exit_status_;
}

std::string SshExchange::Errors() const {
  const std::lock_guard lock(mutex_);
  if (output_front_.begun || errors_front_.begun) return errors_;
  std::string all = output_front_.noise + errors_front_.noise;
  if (all.size() > kMostErrors) all.erase(0, all.size() - kMostErrors);
  return all;
}

bool SshExchange::begun() const {
  const std::lock_guard lock(mutex_);
  return output_front_.begun;
}

std::optional<SteadyTime> SshExchange::opened() const {
  const std::lock_guard lock(mutex_);
  return opened_;
}

void SshExchange::SetOpened() {
  const std::lock_guard lock(mutex_);
  opened_ = std::chrono::steady_clock::now();
}

std::size_t SshExchange::RoomForOutput() const {
  const std::lock_guard lock(mutex_);
  if (stopped_) return kMostBuffered;
  return output_.size() < kMostBuffered ? kMostBuffered - output_.size() : 0;
}

void SshExchange::AddOutput(std::string_view bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    output_ += BehindMark(bytes, &output_front_);
  }
  Tell();
}

std::string_view SshExchange::BehindMark(std::string_view bytes, Front* front) const {
  if (front->begun) return bytes;
  std::string& noise = front->noise;
  const std::size_t before = noise.size();
  noise += bytes;
  const std::size_t mark = noise.find(begin_, before - std::min(before, begin_.size()));
  if (mark == noise.npos) {
    if (noise.size() > kMostErrors) noise.erase(0, noise.size() - kMostErrors);
    return {};
  }
  front->begun = true;
  noise.resize(mark);
  return bytes.substr(mark + begin_.size() - before);
}

void SshExchange::AddErrors(std::string_view bytes) {
  {
    const std::lock_guard lock(mutex_);
    const std::string_view own = BehindMark(bytes, &errors_front_);
    errors_ += own.substr(0, kMostErrors - std::min(errors_.size(), kMostErrors));
  }
  Tell();
}

std::string SshExchange::PeekInput(std::size_t most, bool* close) const {
  const std::lock_guard lock(mutex_);
  const std::string_view waiting = std::string_view(input_).substr(input_taken_);
  *close = input_closed_ && waiting.size() <= most;
  return std::string(waiting.substr(0, most));
}

void SshExchange::ConsumeInput(std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    input_taken_ = std::min(input_taken_ + bytes, input_.size());
  }
  Tell();
}

bool SshExchange::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void SshExchange::SetEnd(End end, int exit_status, std::exception_ptr failure) {
  {
    const std::lock_guard lock(mutex_);
    end_ = end;
    exit_status_ = exit_status;
    failure_ = std::move(failure);
  }
  Tell();
}

}  // namespace cosmos
